//! Reads TOML tables key by key and collects everything that is wrong with them.
//!
//! 1. A table knows which keys it was asked for; [`Table::finish`] reports every other key.
//! 2. A value of the wrong type is reported where it stands and then counts as absent, so that
//!    one run names all mistakes.
//! 3. Every problem has a line, the key's path as one would write it, and how to mend it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::names;

/// One thing wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line in the file, from 1.
    pub line: usize,
    /// Path of the key, dotted; empty when the file as a whole is meant.
    pub key: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => f.write_str(&self.message),
            key => write!(f, "{key}: {}", self.message),
        }
    }
}

/// The text being read and what was found wrong with it so far.
pub(super) struct Reader<'a> {
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            problems: RefCell::default(),
        }
    }

    /// Parses the text; a syntax error becomes a problem.
    pub(super) fn parse(&self) -> Option<Spanned<DeTable<'a>>> {
        DeTable::parse(self.text)
            .map_err(|error| {
                let line = self.line(error.span().map_or(0, |span| span.start));
                self.report(line, "", format!("not valid TOML: {}", error.message()));
            })
            .ok()
    }

    pub(super) fn root<'r>(&'r self, table: &'r Spanned<DeTable<'a>>) -> Table<'r, 'a> {
        Table::new(self, String::new(), 1, table.get_ref())
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    pub(super) fn report(&self, line: usize, key: &str, message: impl Into<String>) {
        let problem = Problem {
            line,
            key: key.to_owned(),
            message: message.into(),
        };
        self.problems.borrow_mut().push(problem);
    }

    /// All problems, by line.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort();
        problems.dedup();
        problems
    }
}

/// A table and the path that leads to it.
pub(super) struct Table<'r, 'a> {
    reader: &'r Reader<'a>,
    key: String,
    line: usize,
    entries: BTreeMap<&'r str, Item<'r, 'a>>,
    asked: RefCell<Vec<&'static str>>,
    refused: RefCell<Vec<&'static str>>,
}

/// One value and the path that leads to it.
#[derive(Clone)]
pub(super) struct Item<'r, 'a> {
    reader: &'r Reader<'a>,
    pub(super) key: String,
    pub(super) line: usize,
    offset: usize,
    value: &'r DeValue<'a>,
}

fn is_bare(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// `parent` and `name` as a dotted key of TOML.
fn dotted(parent: &str, name: &str) -> String {
    let name = if is_bare(name) {
        name.to_owned()
    } else {
        format!("{name:?}")
    };
    if parent.is_empty() {
        name
    } else {
        format!("{parent}.{name}")
    }
}

impl<'r, 'a> Table<'r, 'a> {
    fn new(reader: &'r Reader<'a>, key: String, line: usize, table: &'r DeTable<'a>) -> Self {
        let item = |name: &'r Spanned<_>, value: &'r Spanned<DeValue<'a>>| -> (&'r str, _) {
            let name: &Spanned<std::borrow::Cow<'a, str>> = name;
            let offset = name.span().start;
            let line = reader.line(offset);
            let text: &'r str = name.get_ref();
            let key = dotted(&key, text);
            (
                text,
                Item {
                    reader,
                    key,
                    line,
                    offset,
                    value: value.get_ref(),
                },
            )
        };
        let entries = table
            .iter()
            .map(|(name, value)| item(name, value))
            .collect();
        Self {
            reader,
            key,
            line,
            entries,
            asked: RefCell::default(),
            refused: RefCell::default(),
        }
    }

    /// The value under `name`, which counts as known from now on.
    pub(super) fn get(&self, name: &'static str) -> Option<Item<'r, 'a>> {
        self.asked.borrow_mut().push(name);
        self.entries.get(name).cloned()
    }

    /// Every entry, in file order. For tables whose keys are free; needs no [`Self::finish`].
    pub(super) fn entries(&self) -> Vec<(&'r str, Item<'r, 'a>)> {
        let mut all: Vec<_> = self
            .entries
            .iter()
            .map(|(name, item)| (*name, item.clone()))
            .collect();
        all.sort_by_key(|(_, item)| item.offset);
        all
    }

    /// Whether `name` is there; does not make it known.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn string(&self, name: &'static str) -> Option<String> {
        self.get(name)?.string()
    }

    pub(super) fn boolean(&self, name: &'static str) -> Option<bool> {
        self.get(name)?.boolean()
    }

    /// The strings of an array; empty when absent.
    pub(super) fn strings(&self, name: &'static str) -> Vec<String> {
        self.get(name)
            .map(|item| item.strings())
            .unwrap_or_default()
    }

    pub(super) fn table(&self, name: &'static str) -> Option<Table<'r, 'a>> {
        self.get(name)?.table()
    }

    /// Name and string of every entry of the table under `name`; empty when absent.
    pub(super) fn string_map(&self, name: &'static str) -> Vec<(&'r str, Item<'r, 'a>, String)> {
        let entries = self
            .table(name)
            .map(|table| table.entries())
            .unwrap_or_default();
        let read = |(name, item): (&'r str, Item<'r, 'a>)| {
            let text = item.string()?;
            Some((name, item, text))
        };
        entries.into_iter().filter_map(read).collect()
    }

    /// A string that must be there and not be empty; `example` is the line that mends it.
    pub(super) fn required_string(&self, name: &'static str, example: &str) -> Option<String> {
        let Some(item) = self.get(name) else {
            self.missing(name, example);
            return None;
        };
        let text = item.string()?;
        if text.is_empty() {
            item.problem(format!("is empty; write `{example}`"));
            return None;
        }
        Some(text)
    }

    /// Reports something about the table as a whole.
    pub(super) fn problem(&self, message: impl Into<String>) {
        self.reader.report(self.line, &self.key, message);
    }

    pub(super) fn missing(&self, name: &str, example: &str) {
        self.reader.report(
            self.line,
            &dotted(&self.key, name),
            format!("missing; add `{example}`"),
        );
    }

    /// Stops the start when `name` is there: the field is Spin's, and this host does not run it.
    pub(super) fn unsupported(&self, name: &'static str, reason: &str) {
        self.refused.borrow_mut().push(name);
        if let Some(item) = self.entries.get(name) {
            item.problem(format!("not supported by this host: {reason}"));
        }
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(&self) {
        let asked = self.asked.borrow();
        for (name, item) in &self.entries {
            if asked.contains(name) || self.refused.borrow().contains(name) {
                continue;
            }
            item.problem(match names::nearest(name, asked.iter().copied()) {
                Some(near) => format!("unknown key; did you mean {near:?}?"),
                None => format!("unknown key; known here: {}", listed(&asked)),
            });
        }
    }
}

/// Names in alphabetic order, as an error lists them.
pub(super) fn listed(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

impl<'r, 'a> Item<'r, 'a> {
    pub(super) fn problem(&self, message: impl Into<String>) {
        self.reader.report(self.line, &self.key, message);
    }

    fn wrong_type(&self, wanted: &str) {
        let found = match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.problem(format!("must be {wanted}, is {found}"));
    }

    /// The string, if this is one; another type is no problem yet.
    pub(super) fn as_str(&self) -> Option<&'r str> {
        match self.value {
            DeValue::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    pub(super) fn is_array(&self) -> bool {
        matches!(self.value, DeValue::Array(_))
    }

    pub(super) fn string(&self) -> Option<String> {
        let text = self.as_str();
        if text.is_none() {
            self.wrong_type("a string");
        }
        text.map(str::to_owned)
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        self.value.as_bool()
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        let flag = self.as_bool();
        if flag.is_none() {
            self.wrong_type("true or false");
        }
        flag
    }

    pub(super) fn is_integer(&self, wanted: u64) -> bool {
        matches!(self.value, DeValue::Integer(integer)
            if u64::from_str_radix(integer.as_str(), integer.radix()) == Ok(wanted))
    }

    /// A whole number from 1 to `max`.
    pub(super) fn positive(&self, max: u64) -> Option<u64> {
        self.within(1, max)
    }

    /// A whole number from `min` to `max`.
    pub(super) fn within(&self, min: u64, max: u64) -> Option<u64> {
        let DeValue::Integer(integer) = self.value else {
            self.wrong_type("an integer");
            return None;
        };
        match u64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) if (min..=max).contains(&number) => Some(number),
            _ => {
                self.problem(format!("must be from {min} to {max}, is {integer}"));
                None
            }
        }
    }

    pub(super) fn table(&self) -> Option<Table<'r, 'a>> {
        match self.value {
            DeValue::Table(table) => {
                Some(Table::new(self.reader, self.key.clone(), self.line, table))
            }
            _ => {
                self.wrong_type("a table");
                None
            }
        }
    }

    /// The elements of an array, each with a line of its own.
    pub(super) fn elements(&self) -> Vec<Item<'r, 'a>> {
        let DeValue::Array(array) = self.value else {
            self.wrong_type("an array");
            return Vec::new();
        };
        let element = |value: &'r Spanned<DeValue<'a>>| Item {
            reader: self.reader,
            key: self.key.clone(),
            line: self.reader.line(value.span().start),
            offset: value.span().start,
            value: value.get_ref(),
        };
        array.iter().map(element).collect()
    }

    pub(super) fn strings(&self) -> Vec<String> {
        self.elements().iter().filter_map(Item::string).collect()
    }
}
