//! The operators and functions of a condition: which there are, what they take and give, what
//! they cost, and the two that CEL's own set lacks or leaves unbounded (`lower`, `matches`).

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use cel::common::ast::operators as op;
use cel::common::types::{CelBool, CelString};
use cel::{Env, ExecutionError};
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};

use crate::schema;
use crate::shape::{Shape, Type};

/// The name of the function that takes a pattern.
pub const MATCHES: &str = "matches";

/// Longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 256;

/// Most places of a pattern with its counted repetitions written out: `[a-z]{0,9}` has nine.
const MAX_PATTERN_PLACES: u64 = 256;

/// Largest compiled pattern, in bytes: `\w` with all of Unicode takes some ten thousand.
const MAX_PROGRAM_BYTES: usize = 256 * 1024;

/// Deepest nesting of groups in a pattern.
const MAX_PATTERN_DEPTH: u32 = 24;

/// Compiled patterns kept at most; the next one empties the cache.
const MAX_CACHED: usize = 256;

/// Why a call is refused, and which argument is to blame.
pub struct Refusal {
    pub argument: Option<usize>,
    pub reason: String,
}

type Checked = Result<Shape, Refusal>;

const GLOBAL: [&str; 6] = ["size", "int", "double", "string", "has", "matches"];
const MEMBER: [&str; 12] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    MATCHES,
    "lower",
    "exists",
    "all",
    "exists_one",
    "filter",
    "map",
    "existsOne",
];

fn refuse(reason: impl Into<String>) -> Checked {
    Err(Refusal {
        argument: None,
        reason: reason.into(),
    })
}

/// What the call of `name` gives.
pub fn result(name: &str, target: Option<&Shape>, args: &[Shape]) -> Checked {
    let below = args
        .iter()
        .chain(target)
        .fold(1, |sum: u64, shape| sum.saturating_add(shape.cost));
    let shape = match (target, args) {
        (Some(target), args) => member(name, target, args)?,
        (None, [one]) => unary(name, one)?,
        (None, [left, right]) => binary(name, left, right)?,
        (None, [condition, yes, no]) if name == op::CONDITIONAL => conditional(condition, yes, no)?,
        (None, _) => return unknown(name, &GLOBAL, args.len()),
    };
    Ok(shape.plus(below))
}

fn unknown(name: &str, known: &[&str], count: usize) -> Checked {
    if known.contains(&name) {
        return refuse(format!("`{name}` does not take {count} arguments here"));
    }
    let hint = schema::suggestion(known.iter().copied(), name);
    refuse(format!("unknown function `{name}`{hint}"))
}

fn need(argument: usize, given: &Shape, wanted: &Type, by: &str) -> Result<(), Refusal> {
    if given.kind.fits(wanted) {
        return Ok(());
    }
    Err(Refusal {
        argument: Some(argument),
        reason: format!("{by} needs {wanted}; this is {}", given.kind),
    })
}

fn member(name: &str, target: &Shape, args: &[Shape]) -> Checked {
    let is_text = target.kind.fits(&Type::Text);
    match (name, args) {
        ("size", []) => size(target),
        ("contains" | "startsWith" | "endsWith", [part]) if is_text => {
            need(0, part, &Type::Text, &format!("`{name}`"))?;
            Ok(Shape::new(Type::Bool, target.weight()))
        }
        (MATCHES, [pattern]) if is_text => {
            need(0, pattern, &Type::Text, "`matches`")?;
            // The matcher's time is linear in the text, in the worst case times the pattern's places.
            let cost = target.weight().saturating_mul(1 + MAX_PATTERN_PLACES / 8);
            Ok(Shape::new(Type::Bool, cost))
        }
        // A letter's lower case can be longer than the letter.
        ("lower", []) if is_text => Ok(Shape::text(
            2 * target.weight(),
            target.bytes.saturating_mul(2),
        )),
        _ if MEMBER.contains(&name) => {
            let count = args.len();
            refuse(format!(
                "{} has no `{name}` with {count} arguments",
                target.kind
            ))
        }
        _ => unknown(name, &MEMBER, args.len()),
    }
}

fn size(of: &Shape) -> Checked {
    match of.kind {
        Type::Text => Ok(Shape::new(Type::Int, of.weight())),
        Type::List(_) | Type::Attributes | Type::Any => Ok(Shape::new(Type::Int, 1)),
        _ => refuse(format!("{} has no size", of.kind)),
    }
}

fn unary(name: &str, one: &Shape) -> Checked {
    let scalar = matches!(
        one.kind,
        Type::Int | Type::Double | Type::Text | Type::Any | Type::Bool
    );
    match name {
        op::LOGICAL_NOT | op::NOT_STRICTLY_FALSE => {
            need(0, one, &Type::Bool, "`!`")?;
            Ok(Shape::new(Type::Bool, 0))
        }
        op::NEGATE if one.kind.is_number() || one.kind == Type::Any => {
            Ok(Shape::new(one.kind.clone(), 0))
        }
        op::NEGATE => refuse(format!("`-` needs a number; this is {}", one.kind)),
        "size" => size(one),
        "int" if scalar && one.kind != Type::Bool => Ok(Shape::new(Type::Int, one.weight())),
        "double" if scalar && one.kind != Type::Bool => Ok(Shape::new(Type::Double, one.weight())),
        // The longest number has some three hundred digits.
        "string" if scalar => Ok(Shape::text(one.weight(), one.bytes.max(400))),
        "int" | "double" | "string" => refuse(format!("`{name}` cannot convert {}", one.kind)),
        _ => unknown(name, &GLOBAL, 1),
    }
}

fn conditional(condition: &Shape, yes: &Shape, no: &Shape) -> Checked {
    need(0, condition, &Type::Bool, "`?`")?;
    if !yes.kind.fits(&no.kind) {
        return refuse(format!(
            "both sides of `:` must be alike; these are {} and {}",
            yes.kind, no.kind
        ));
    }
    Ok(Shape {
        kind: yes.kind.clone().join(no.kind.clone()),
        cost: 0,
        bytes: yes.bytes.max(no.bytes),
        len: yes.len.max(no.len),
    })
}

fn binary(name: &str, left: &Shape, right: &Shape) -> Checked {
    let both = || left.weight().saturating_add(right.weight());
    match name {
        op::LOGICAL_AND | op::LOGICAL_OR => {
            let sign = if name == op::LOGICAL_AND {
                "`&&`"
            } else {
                "`||`"
            };
            need(0, left, &Type::Bool, sign)?;
            need(1, right, &Type::Bool, sign)?;
            Ok(Shape::new(Type::Bool, 0))
        }
        op::EQUALS | op::NOT_EQUALS => {
            let numbers = left.kind.is_number() && right.kind.is_number();
            if !numbers && !left.kind.fits(&right.kind) {
                return refuse(format!("compares {} with {}", left.kind, right.kind));
            }
            Ok(Shape::new(Type::Bool, left.weight().min(right.weight())))
        }
        op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS => {
            order(left, right)?;
            Ok(Shape::new(Type::Bool, left.weight().min(right.weight())))
        }
        op::IN => contained(left, right),
        op::INDEX => index(left, right),
        op::ADD => add(left, right, both()),
        op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO => arithmetic(name, left, right),
        op::OPT_INDEX | op::OPT_SELECT => refuse("`?` after `.` or `[` has no use in a rule"),
        _ => unknown(name, &GLOBAL, 2),
    }
}

fn order(left: &Shape, right: &Shape) -> Result<(), Refusal> {
    let ordered = |kind: &Type| kind.is_number() || matches!(kind, Type::Text | Type::Any);
    let numbers = left.kind.is_number() && right.kind.is_number();
    if ordered(&left.kind) && ordered(&right.kind) && (numbers || left.kind.fits(&right.kind)) {
        return Ok(());
    }
    refuse(format!("cannot order {} and {}", left.kind, right.kind)).map(drop)
}

fn contained(item: &Shape, list: &Shape) -> Checked {
    match &list.kind {
        Type::List(kind) if item.kind.fits(kind) => {}
        Type::List(kind) => {
            return refuse(format!("a list of {kind} never holds {}", item.kind));
        }
        Type::Attributes => need(0, item, &Type::Text, "`in`")?,
        Type::Any => {}
        Type::Text => return refuse("`in` needs a list; for a text write `.contains(…)`"),
        other => return refuse(format!("`in` needs a list; this is {other}")),
    }
    Ok(Shape::new(Type::Bool, list.weight()))
}

fn index(list: &Shape, at: &Shape) -> Checked {
    match list.kind {
        Type::List(_) => need(1, at, &Type::Int, "`[ ]`")?,
        Type::Attributes => need(1, at, &Type::Text, "`[ ]`")?,
        Type::Any => {}
        _ => return refuse(format!("{} has no `[ ]`", list.kind)),
    }
    Ok(match list.kind {
        Type::Attributes => Shape::any(1),
        _ => list.item(),
    })
}

fn add(left: &Shape, right: &Shape, cost: u64) -> Checked {
    if !left.kind.fits(&right.kind) {
        return refuse(format!("cannot add {} and {}", left.kind, right.kind));
    }
    let kind = left.kind.clone().join(right.kind.clone());
    let len = left.len.saturating_add(right.len);
    let bytes = match kind {
        Type::List(_) => left.bytes.max(right.bytes),
        _ => left.bytes.saturating_add(right.bytes),
    };
    match kind {
        Type::Int | Type::Double => Ok(Shape::new(kind, 0)),
        Type::Text | Type::List(_) | Type::Any => Ok(Shape {
            kind,
            cost,
            bytes,
            len,
        }),
        _ => refuse(format!("cannot add {kind}")),
    }
}

fn arithmetic(name: &str, left: &Shape, right: &Shape) -> Checked {
    let number = |kind: &Type| kind.is_number() || *kind == Type::Any;
    let whole = |kind: &Type| *kind != Type::Double;
    if !number(&left.kind) || !number(&right.kind) {
        return refuse(format!(
            "cannot calculate with {} and {}",
            left.kind, right.kind
        ));
    }
    if !left.kind.fits(&right.kind) {
        return refuse("mixes whole and decimal numbers; convert one with `double(…)`");
    }
    if name == op::MODULO && !(whole(&left.kind) && whole(&right.kind)) {
        return refuse("`%` needs whole numbers");
    }
    Ok(Shape::new(left.kind.clone().join(right.kind.clone()), 0))
}

thread_local! {
    static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::default();
    static ENV: Arc<Env> = Arc::new(env());
}

/// What conditions are evaluated with.
pub fn environment() -> Arc<Env> {
    ENV.with(Arc::clone)
}

fn env() -> Env {
    let mut env = Env::default().with_optional_support(false).with_stdlib();
    let declared = cel::add_member_overload!(env, fn lower: (CelString) -> CelString).and_then(
        |()| cel::add_member_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>),
    );
    // Both names are free in CEL's own set; a test calls both.
    debug_assert!(declared.is_ok());
    env
}

fn lower(this: &CelString<'_>) -> CelString<'static> {
    CelString::from(this.inner().to_lowercase())
}

fn matches(this: &CelString<'_>, pattern: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    let regex =
        compiled(pattern.inner()).map_err(|why| ExecutionError::function_error(MATCHES, why))?;
    Ok(CelBool::from(regex.is_match(this.inner())))
}

/// Whether `pattern` is a sound one within its bounds.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    compiled(pattern).map(drop)
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    if let Some(known) = PATTERNS.with_borrow(|patterns| patterns.get(pattern).cloned()) {
        return Ok(known);
    }
    if pattern.len() > MAX_PATTERN_BYTES {
        let given = pattern.len();
        return Err(format!(
            "the pattern has {given} bytes; {MAX_PATTERN_BYTES} are allowed"
        ));
    }
    let places = regex_syntax::parse(pattern).map_or(0, |hir| places(&hir));
    if places > MAX_PATTERN_PLACES {
        return Err(format!(
            "the pattern has {places} places with its repetitions written out; {MAX_PATTERN_PLACES} are allowed"
        ));
    }
    let regex = RegexBuilder::new(pattern)
        .size_limit(MAX_PROGRAM_BYTES)
        .dfa_size_limit(MAX_PROGRAM_BYTES)
        .nest_limit(MAX_PATTERN_DEPTH)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
            error => {
                let text = error.to_string();
                format!("wrong pattern: {}", text.lines().last().unwrap_or_default())
            }
        })?;
    PATTERNS.with_borrow_mut(|patterns| {
        if patterns.len() >= MAX_CACHED {
            patterns.clear();
        }
        patterns.insert(pattern.to_owned(), regex.clone());
    });
    Ok(regex)
}

/// How many characters, or classes of them, a pattern tries with its counted repetitions written out.
/// An open end counts as one more: it is a loop.
fn places(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(_) => 1,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            places(&repetition.sub).saturating_mul(u64::from(times))
        }
        HirKind::Capture(capture) => places(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts
            .iter()
            .fold(0, |sum, part| sum.saturating_add(places(part))),
    }
}
