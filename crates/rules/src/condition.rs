//! A condition, ready to be evaluated.
//!
//! 1. Text is scanned, then parsed, then checked; only what passes all three is evaluated.
//! 2. `&&` at the top level is taken apart, so that an explanation can name the part that is
//!    false. As in CEL, a false part outweighs one that fails.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use cel::common::ast::{Expr, IdedExpr, operators as op};
use cel::parser::{ParseErrors, PrattParser};
use cel::{Context, Value};

use crate::check::{self, MAX_TREE_DEPTH};
use crate::facts;
use crate::scan;

/// Where a condition is wrong; `line` and `column` count from 1, in characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct Flaw {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// What is wrong, for people.
    pub reason: String,
}

/// What a condition says about some facts.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Holds,
    /// With the part that is false.
    Fails(String),
    /// It could not be evaluated, and why.
    Error(String),
}

/// A checked condition.
#[derive(Debug)]
pub struct Condition {
    parts: Vec<Part>,
    /// Most steps that it takes.
    pub cost: u64,
}

#[derive(Debug)]
struct Part {
    tree: IdedExpr,
    text: String,
}

/// Longest quotation of a condition or a value in a reason, in characters.
const MAX_QUOTE_CHARS: usize = 160;

impl Condition {
    /// Parses and checks `source`.
    pub fn new(source: &str) -> Result<Condition, Flaw> {
        let ranges = scan::scan(source).map_err(|flaw| at(source, flaw.at, flaw.reason))?;
        let tree = parser()
            .parse(source)
            .map_err(|errors| first(source, &errors))?;
        let cost = check::check(&tree).map_err(|flaw| locate(source, &flaw))?;
        Ok(Condition {
            parts: parts(source, tree, &ranges),
            cost,
        })
    }

    /// Evaluates it over the facts in `context`.
    pub fn evaluate(&self, context: &Context<'_, '_>) -> Answer {
        let mut failure = None;
        for part in &self.parts {
            match Value::resolve(&part.tree, context) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => return Answer::Fails(format!("not so: {}", part.text)),
                Ok(other) => {
                    let reason = format!("{} gave a {}", part.text, other.type_of());
                    failure.get_or_insert(reason);
                }
                Err(error) => {
                    failure.get_or_insert_with(|| {
                        let cause = error.to_string();
                        format!("{}: {}", part.text, facts::cut(&cause, MAX_QUOTE_CHARS))
                    });
                }
            }
        }
        match failure {
            Some(reason) => Answer::Error(reason),
            None => Answer::Holds,
        }
    }
}

/// The bounds are wider than the scanner's, which speak first and with a better reason.
fn parser() -> PrattParser {
    PrattParser::new().max_recursion_depth(MAX_TREE_DEPTH as u16)
}

fn at(source: &str, byte: usize, reason: String) -> Flaw {
    let before = source.get(..byte).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    Flaw {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
        reason,
    }
}

/// The first syntax error. The parser counts columns in bytes.
fn first(source: &str, errors: &ParseErrors) -> Flaw {
    let placed = errors.errors.iter().find(|error| error.pos.0 > 0);
    let Some(error) = placed.or(errors.errors.first()) else {
        return at(source, 0, "not a condition".to_owned());
    };
    let line = usize::try_from(error.pos.0.saturating_sub(1)).unwrap_or(0);
    let column = usize::try_from(error.pos.1.saturating_sub(1)).unwrap_or(0);
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let message = error.msg.trim_start_matches("Syntax error: ");
    let mut byte = (start + column).min(source.len());
    while !source.is_char_boundary(byte) {
        byte -= 1;
    }
    at(
        source,
        byte,
        format!("syntax: {}", facts::cut(message, MAX_QUOTE_CHARS)),
    )
}

/// Places a flaw. The parser tells where nodes are only together with a syntax error, so the
/// text is parsed once more with one appended; nodes are numbered the same in both runs.
fn locate(source: &str, flaw: &check::Flaw) -> Flaw {
    let byte = parser()
        .parse(&format!("{source}\n]"))
        .err()
        .and_then(|errors| {
            errors
                .errors
                .into_iter()
                .find_map(|error| error.source_info)
        })
        .and_then(|info| info.offset_for(flaw.node))
        .map_or(0, |(start, _)| start as usize);
    at(source, byte, flaw.reason.clone())
}

fn parts(source: &str, tree: IdedExpr, ranges: &[Range<usize>]) -> Vec<Part> {
    let mut trees = Vec::new();
    if ranges.len() > 1 {
        flatten(tree, &mut trees);
    } else {
        trees.push(tree);
    }
    let quote = |range: Range<usize>| {
        let text = source.get(range).unwrap_or_default();
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ");
        match facts::cut(&text, MAX_QUOTE_CHARS) {
            cut if cut.len() < text.len() => format!("{cut}…"),
            cut => cut.to_owned(),
        }
    };
    let same = trees.len() == ranges.len();
    trees
        .into_iter()
        .enumerate()
        .map(|(index, tree)| {
            // Brackets around a conjunction give more trees than ranges: quote the whole then.
            let range = ranges.get(index).filter(|_| same).cloned();
            let text = quote(range.unwrap_or(0..source.len()));
            Part { tree, text }
        })
        .collect()
}

/// Takes `a && b && c` apart, in the order of writing. The tree's depth is bounded.
fn flatten(tree: IdedExpr, parts: &mut Vec<IdedExpr>) {
    match tree.expr {
        Expr::Call(call) if call.func_name == op::LOGICAL_AND && call.target.is_none() => {
            for arg in call.args {
                flatten(arg, parts);
            }
        }
        expr => parts.push(IdedExpr { id: tree.id, expr }),
    }
}

type Parsed = Rc<Result<Condition, Flaw>>;

/// Most conditions kept; the next one empties the cache. With 4 KiB each at most.
const MAX_CACHED: usize = 1024;

thread_local! {
    static CACHE: RefCell<HashMap<String, Parsed>> = RefCell::default();
}

/// As [`Condition::new`], from a cache: what a text means never changes.
pub fn cached(source: &str) -> Parsed {
    if let Some(known) = CACHE.with_borrow(|cache| cache.get(source).cloned()) {
        return known;
    }
    let parsed = Rc::new(Condition::new(source));
    // What is too long is refused anyway, at no cost.
    if source.len() <= scan::MAX_SOURCE_BYTES {
        CACHE.with_borrow_mut(|cache| {
            if cache.len() >= MAX_CACHED {
                cache.clear();
            }
            cache.insert(source.to_owned(), Rc::clone(&parsed));
        });
    }
    parsed
}
