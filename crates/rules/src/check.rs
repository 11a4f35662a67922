//! Checks a parsed condition against the facts before it ever runs: names, types, functions,
//! size and cost.
//!
//! 1. Only what is listed here is let through; what CEL has beyond that is refused by name.
//! 2. A condition that passes cannot ask for an unknown fact, and can cost [`MAX_COST`] at most
//!    over facts at their bounds.
//! 3. It can still fail when run: an attribute that is missing, an index out of bounds, a
//!    division by zero, a sum that overflows.

use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators as op};

use crate::functions;
use crate::schema::{self, FACTS};
use crate::shape::{Shape, Type};

/// Most nodes of a condition as it is written.
pub const MAX_NODES: usize = 256;

/// Deepest tree, loops counted as the parser writes them out. The evaluator and this checker call
/// themselves once a level.
pub const MAX_TREE_DEPTH: usize = 96;

/// Most loops (`exists`, `all`, `exists_one`, `filter`, `map`) inside one another.
pub const MAX_LOOP_DEPTH: usize = 2;

/// Most steps of one condition: a loop in a loop over two full lists of texts fits, with little
/// to do inside. A step takes some hundred nanoseconds.
pub const MAX_COST: u64 = 250_000;

/// What is wrong and at which node.
#[derive(Debug, PartialEq)]
pub struct Flaw {
    pub node: u64,
    pub reason: String,
}

/// Checks a whole condition; gives its cost.
pub fn check(root: &IdedExpr) -> Result<u64, Flaw> {
    if depth(root) > MAX_TREE_DEPTH {
        return flaw(root, "nested too deeply; split it into several rules");
    }
    let mut checker = Checker {
        nodes: 0,
        loops: 0,
        scope: Vec::new(),
    };
    let shape = checker.shape(root)?;
    if checker.nodes > MAX_NODES {
        let reason = format!("more than {MAX_NODES} terms; split it into several rules");
        return flaw(root, reason);
    }
    if !shape.kind.fits(&Type::Bool) {
        let reason = format!("a condition must be true or false; this is {}", shape.kind);
        return flaw(root, reason);
    }
    if shape.cost > MAX_COST {
        let reason = format!(
            "may take {} steps; {MAX_COST} are allowed: nest fewer loops or compare shorter texts",
            shape.cost
        );
        return flaw(root, reason);
    }
    Ok(shape.cost)
}

/// Depth of the tree, found without calling itself.
fn depth(root: &IdedExpr) -> usize {
    let mut deepest = 0;
    let mut open = vec![(root, 1)];
    while let Some((node, depth)) = open.pop() {
        deepest = deepest.max(depth);
        let mut push = |child| open.push((child, depth + 1));
        match &node.expr {
            Expr::Call(call) => call
                .args
                .iter()
                .chain(call.target.as_deref())
                .for_each(push),
            Expr::List(list) => list.elements.iter().for_each(push),
            Expr::Select(select) => push(&select.operand),
            Expr::Comprehension(it) => {
                push(&it.iter_range);
                push(&it.accu_init);
                push(&it.loop_cond);
                push(&it.loop_step);
                push(&it.result);
            }
            // Refused by the checker, which does not look inside.
            Expr::Map(_) | Expr::Struct(_) => {}
            Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        }
    }
    deepest
}

struct Checker {
    nodes: usize,
    loops: usize,
    /// What loops have bound, innermost last.
    scope: Vec<(String, Shape)>,
}

type Checked = Result<Shape, Flaw>;

fn flaw<T>(node: &IdedExpr, reason: impl Into<String>) -> Result<T, Flaw> {
    Err(Flaw {
        node: node.id,
        reason: reason.into(),
    })
}

/// What the parser calls the result of a loop so far; no name in a condition can contain `@`.
const RESULT_SO_FAR: &str = "@result";

impl Checker {
    fn shape(&mut self, node: &IdedExpr) -> Checked {
        self.nodes += 1;
        match &node.expr {
            Expr::Literal(literal) => literal_shape(node, literal),
            Expr::Ident(name) => self.ident(node, name),
            Expr::Select(select) => {
                let operand = self.shape(&select.operand)?;
                field_shape(node, &operand, &select.field, select.test)
            }
            Expr::List(list) => self.list(node, &list.elements),
            Expr::Call(call) => {
                let target = match &call.target {
                    Some(target) => Some(self.shape(target)?),
                    None => None,
                };
                let mut args = Vec::with_capacity(call.args.len());
                for arg in &call.args {
                    args.push(self.shape(arg)?);
                }
                self.call(node, target, &args)
            }
            Expr::Comprehension(comprehension) => self.comprehension(node, comprehension),
            Expr::Map(_) | Expr::Struct(_) => flaw(node, "`{ … }` has no use in a rule"),
            Expr::Unspecified => flaw(node, "something is missing here"),
        }
    }

    fn ident(&self, node: &IdedExpr, name: &str) -> Checked {
        if let Some((_, shape)) = self.scope.iter().rev().find(|(bound, _)| bound == name) {
            return Ok(Shape {
                cost: 1,
                ..shape.clone()
            });
        }
        match schema::find(FACTS, name) {
            Some(field) => Ok(Shape::of_fact(&field.kind)),
            None => {
                let known = FACTS.iter().map(|field| field.name);
                let bound = self.scope.iter().map(|(bound, _)| bound.as_str());
                let hint = schema::suggestion(known.chain(bound), name);
                flaw(node, format!("unknown fact `{name}`{hint}"))
            }
        }
    }

    fn list(&mut self, node: &IdedExpr, elements: &[IdedExpr]) -> Checked {
        let mut list = Shape::new(Type::Any, 1);
        list.len = elements.len() as u64;
        for element in elements {
            let item = self.shape(element)?;
            if !item.kind.fits(&list.kind) {
                let reason = format!("a list of {} cannot hold {}", list.kind, item.kind);
                return flaw(element, reason);
            }
            list.kind = list.kind.join(item.kind);
            list.cost = list.cost.saturating_add(item.cost);
            list.bytes = list.bytes.max(item.bytes);
            list.len = list.len.max(item.len);
        }
        if self.nodes > MAX_NODES {
            return flaw(node, format!("more than {MAX_NODES} terms"));
        }
        list.kind = Type::List(Box::new(list.kind));
        Ok(list)
    }

    fn call(&mut self, node: &IdedExpr, target: Option<Shape>, args: &[Shape]) -> Checked {
        let Expr::Call(call) = &node.expr else {
            return flaw(node, "no call");
        };
        // A loop's own steps are not what its author wrote.
        let is_loop = |arg: &IdedExpr| matches!(&arg.expr, Expr::Ident(n) if n == RESULT_SO_FAR);
        if let (Some(first), [_, condition]) = (call.args.first(), args)
            && is_loop(first)
            && matches!(call.func_name.as_str(), op::LOGICAL_AND | op::LOGICAL_OR)
            && !condition.kind.fits(&Type::Bool)
        {
            let reason = format!(
                "the condition of a loop must be true or false; this is {}",
                condition.kind
            );
            return flaw(call.args.get(1).unwrap_or(node), reason);
        }
        if call.func_name == functions::MATCHES {
            check_pattern(node, call.args.first())?;
        }
        functions::result(&call.func_name, target.as_ref(), args).or_else(|why| {
            let culprit = match why.argument {
                Some(index) => call.args.get(index).unwrap_or(node),
                None => node,
            };
            flaw(culprit, why.reason)
        })
    }

    fn comprehension(&mut self, node: &IdedExpr, it: &ComprehensionExpr) -> Checked {
        let range = self.shape(&it.iter_range)?;
        if !matches!(range.kind, Type::List(_) | Type::Attributes | Type::Any) {
            let reason = format!("only lists can be looped over; this is {}", range.kind);
            return flaw(&it.iter_range, reason);
        }
        if it.iter_var2.is_some() {
            return flaw(node, "a loop binds one name");
        }
        if schema::find(FACTS, &it.iter_var).is_some() {
            let reason = format!("`{}` is a fact; name the item otherwise", it.iter_var);
            return flaw(node, reason);
        }
        if self.loops == MAX_LOOP_DEPTH {
            let reason = format!("more than {MAX_LOOP_DEPTH} loops inside one another");
            return flaw(node, reason);
        }
        let written = self.nodes;
        let start = self.shape(&it.accu_init)?;
        let item = range.item();
        let weight = item.weight();
        self.loops += 1;
        self.scope.push((it.iter_var.clone(), item));
        self.scope.push((RESULT_SO_FAR.to_owned(), start.clone()));
        let condition = self.shape(&it.loop_cond)?;
        // Only the step holds what the author wrote; of its own it has two to eight nodes.
        self.nodes = written;
        let step = self.shape(&it.loop_step)?;
        let written = self.nodes;
        self.scope.pop();
        let kind = start.kind.clone().join(step.kind.clone());
        let whole = Shape {
            len: range.len,
            kind,
            cost: 1,
            bytes: step.bytes,
        };
        self.scope.push((RESULT_SO_FAR.to_owned(), whole));
        let result = self.shape(&it.result)?;
        self.nodes = written;
        self.scope.truncate(self.scope.len().saturating_sub(2));
        self.loops -= 1;
        // What is kept of each turn: the new result, or the item that `filter` and `map` add.
        let kept = match step.kind {
            Type::List(_) => step.item().weight(),
            _ => 0,
        };
        let turn = [condition.cost, step.cost, weight, kept, 2]
            .into_iter()
            .fold(0, u64::saturating_add);
        let cost = turn.saturating_mul(range.len).saturating_add(range.cost);
        Ok(result.plus(cost.saturating_add(start.cost)))
    }
}

fn literal_shape(node: &IdedExpr, literal: &LiteralValue) -> Checked {
    match literal {
        LiteralValue::Boolean(_) => Ok(Shape::new(Type::Bool, 1)),
        LiteralValue::Int(_) => Ok(Shape::new(Type::Int, 1)),
        LiteralValue::Double(_) => Ok(Shape::new(Type::Double, 1)),
        LiteralValue::String(text) => Ok(Shape::text(1, text.inner().len() as u64)),
        LiteralValue::UInt(_) => flaw(node, "write the number without `u`"),
        LiteralValue::Bytes(_) => flaw(node, "write the text without `b`"),
        LiteralValue::Null => flaw(
            node,
            "no fact is ever null; one that is not known is \"\", 0, false or an empty list",
        ),
    }
}

fn field_shape(node: &IdedExpr, operand: &Shape, name: &str, test: bool) -> Checked {
    let found = match operand.kind {
        Type::Object(fields) => match schema::find(fields, name) {
            Some(field) => Shape::of_fact(&field.kind),
            None => {
                let hint = schema::suggestion(fields.iter().map(|field| field.name), name);
                return flaw(node, format!("unknown fact `{name}`{hint}"));
            }
        },
        Type::Attributes | Type::Any => Shape::any(1),
        ref other => {
            let reason = format!("{other} has no `.{name}`");
            return flaw(node, reason);
        }
    };
    let found = if test {
        Shape::new(Type::Bool, 1)
    } else {
        found
    };
    Ok(found.plus(operand.cost))
}

/// Patterns are literals, so that they are checked once and none is built from a message.
fn check_pattern(node: &IdedExpr, pattern: Option<&IdedExpr>) -> Result<(), Flaw> {
    match pattern.map(|pattern| &pattern.expr) {
        Some(Expr::Literal(LiteralValue::String(text))) => {
            functions::check_pattern(text.inner()).or_else(|reason| flaw(node, reason))
        }
        Some(_) => flaw(node, "the pattern of `matches` must be a text in quotes"),
        None => Ok(()),
    }
}
