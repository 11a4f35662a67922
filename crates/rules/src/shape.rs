//! What is known of an expression without running it: its type, how large its value can be and
//! what it can cost at most.

use std::fmt;

use crate::schema::{Field, Kind, MAX_ITEMS, MAX_TEXT_CHARS};

/// The type of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    Bool,
    Int,
    Double,
    Text,
    List(Box<Type>),
    Object(&'static [Field]),
    /// The contact's attributes.
    Attributes,
    /// Known only when it is run: an attribute, an item of an empty list.
    Any,
}

impl Type {
    pub fn is_number(&self) -> bool {
        matches!(self, Type::Int | Type::Double)
    }

    /// Whether a value of this type can stand where `wanted` is asked for.
    pub fn fits(&self, wanted: &Type) -> bool {
        match (self, wanted) {
            (Type::Any, _) | (_, Type::Any) => true,
            (Type::List(item), Type::List(wanted)) => item.fits(wanted),
            (this, wanted) => this == wanted,
        }
    }

    /// The more exact of two types that fit each other.
    pub fn join(self, other: Type) -> Type {
        match (self, other) {
            (Type::Any, other) => other,
            (Type::List(item), Type::List(other)) => Type::List(Box::new(item.join(*other))),
            (this, _) => this,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("true or false"),
            Type::Int => f.write_str("a whole number"),
            Type::Double => f.write_str("a decimal number"),
            Type::Text => f.write_str("a text"),
            Type::List(_) => f.write_str("a list"),
            Type::Object(_) | Type::Attributes => f.write_str("an object"),
            Type::Any => f.write_str("a value"),
        }
    }
}

/// An expression's type and bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    pub kind: Type,
    /// Most steps to evaluate it: about one operation on small values each.
    pub cost: u64,
    /// Most bytes of a text, or of one item's text in a list.
    pub bytes: u64,
    /// Most items of a list.
    pub len: u64,
}

/// Bytes of text that cost as much as one step. Copying or comparing so many takes about as long
/// as one operation of the interpreter.
const BYTES_PER_STEP: u64 = 512;

impl Shape {
    pub fn new(kind: Type, cost: u64) -> Shape {
        Shape {
            kind,
            cost,
            bytes: 0,
            len: 0,
        }
    }

    pub fn text(cost: u64, bytes: u64) -> Shape {
        Shape {
            kind: Type::Text,
            cost,
            bytes,
            len: 0,
        }
    }

    /// A fact of that kind, at its bounds. A character has up to four bytes.
    pub fn of_fact(kind: &'static Kind) -> Shape {
        let bytes = |chars: usize| chars as u64 * 4;
        let items = MAX_ITEMS as u64;
        match kind {
            Kind::Bool => Shape::new(Type::Bool, 1),
            Kind::Int => Shape::new(Type::Int, 1),
            Kind::Double => Shape::new(Type::Double, 1),
            Kind::Text(chars) => Shape::text(1, bytes(*chars)),
            Kind::Object(fields) => Shape {
                bytes: bytes(MAX_TEXT_CHARS),
                ..Shape::new(Type::Object(fields), 1)
            },
            Kind::List(item) => {
                let item = Shape::of_fact(item);
                Shape {
                    kind: Type::List(Box::new(item.kind)),
                    cost: 1,
                    bytes: item.bytes,
                    len: items,
                }
            }
            Kind::Attributes => Shape {
                kind: Type::Attributes,
                cost: 1,
                bytes: bytes(MAX_TEXT_CHARS),
                len: items,
            },
        }
    }

    /// An attribute's value: at most a list of texts at its bounds.
    pub fn any(cost: u64) -> Shape {
        Shape {
            kind: Type::Any,
            cost,
            bytes: MAX_TEXT_CHARS as u64 * 4,
            len: MAX_ITEMS as u64,
        }
    }

    /// Steps to copy or compare the value once.
    pub fn weight(&self) -> u64 {
        let item = 1 + self.bytes / BYTES_PER_STEP;
        match self.kind {
            Type::List(_) | Type::Attributes | Type::Any => item.saturating_mul(self.len.max(1)),
            Type::Object(fields) => item.saturating_mul(fields.len() as u64),
            _ => item,
        }
    }

    /// What a loop over this value binds.
    pub fn item(&self) -> Shape {
        match &self.kind {
            Type::List(item) => Shape {
                kind: (**item).clone(),
                cost: 1,
                bytes: self.bytes,
                len: self.len,
            },
            Type::Attributes => Shape::text(1, self.bytes),
            _ => Shape::any(1),
        }
    }

    pub fn plus(self, steps: u64) -> Shape {
        Shape {
            cost: self.cost.saturating_add(steps),
            ..self
        }
    }
}
