//! What a template's content asks of an event's `ctx`, found by walking its syntax tree.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::{ast, parse};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind};

use super::path::{DataPath, Guards};
use super::scope::{Meaning, Scopes};

/// What one text of a template needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// Paths into `ctx` that the text cannot do without, dotted, each with the first line that asks
    /// for it (from 1).
    ///
    /// Left out is what the text itself provides for: `| default(…)`, `is defined`, `{% if … %}`
    /// around it. Of `ctx.order.note | default("")` only `order` remains.
    pub required: BTreeMap<String, u32>,
    /// Every path the text mentions, required or not, dotted.
    pub mentioned: BTreeSet<String>,
}

/// One thing wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fault {
    /// The line within the text, from 1.
    pub line: u32,
    /// What is wrong and what to do, as a fragment.
    pub message: String,
}

/// Analyses one text of a template.
///
/// # Errors
/// Every fault of the text: one when it does not parse, else one per use of a variable that is not
/// `ctx`, of an unknown filter, test or function, and of another template.
pub(super) fn analyse(source: &str) -> Result<Needs, Vec<Fault>> {
    let tree = parse(source, "template", SyntaxConfig::default()).map_err(|error| {
        let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        let line = error.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(1);
        vec![Fault { line, message: format!("syntax error: {detail}") }]
    })?;
    let mut walk = Walk::new();
    walk.statement(&tree);
    if walk.faults.is_empty() { Ok(walk.needs) } else { Err(walk.faults.into_iter().collect()) }
}

/// Whether an expression may come to nothing where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It is printed, compared, looped over: it has to exist.
    Needed,
    /// It is asked whether it exists, or something else stands in for it.
    Optional,
}

struct Walk<'s> {
    environment: Environment<'static>,
    scopes: Scopes<'s>,
    guards: Guards,
    needs: Needs,
    faults: BTreeSet<Fault>,
}

impl<'s> Walk<'s> {
    fn new() -> Self {
        Self {
            environment: Environment::new(),
            scopes: Scopes::default(),
            guards: Guards::default(),
            needs: Needs::default(),
            faults: BTreeSet::new(),
        }
    }

    fn fault(&mut self, line: u32, message: String) {
        self.faults.insert(Fault { line, message });
    }

    fn statements(&mut self, statements: &[ast::Stmt<'s>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    /// A body in a scope of its own.
    fn nested(&mut self, assigned: &[&'s str], body: impl FnOnce(&mut Self)) {
        self.scopes.push();
        for name in assigned {
            self.scopes.assign(name, Meaning::Other);
        }
        body(self);
        self.scopes.pop();
    }

    fn statement(&mut self, statement: &ast::Stmt<'s>) {
        match statement {
            ast::Stmt::Template(template) => {
                self.nested(&["self"], |walk| walk.statements(&template.children));
            }
            ast::Stmt::EmitExpr(emit) => self.expression(&emit.expr, Use::Needed),
            ast::Stmt::EmitRaw(_) => {}
            ast::Stmt::ForLoop(each) => self.for_loop(each),
            ast::Stmt::IfCond(branch) => self.branch(branch),
            ast::Stmt::WithBlock(with) => self.nested(&[], |walk| {
                for (target, value) in &with.assignments {
                    walk.assignment(target, value);
                }
                walk.statements(&with.body);
            }),
            ast::Stmt::Set(set) => self.assignment(&set.target, &set.expr),
            ast::Stmt::SetBlock(set) => {
                self.nested(&[], |walk| walk.statements(&set.body));
                self.targets(&set.target);
            }
            ast::Stmt::AutoEscape(block) => self.nested(&[], |walk| walk.statements(&block.body)),
            ast::Stmt::FilterBlock(block) => {
                self.expression(&block.filter, Use::Needed);
                self.nested(&[], |walk| walk.statements(&block.body));
            }
            ast::Stmt::Block(block) => {
                self.nested(&["super"], |walk| walk.statements(&block.body));
            }
            ast::Stmt::Macro(declared) => self.macro_declaration(declared),
            ast::Stmt::CallBlock(block) => {
                self.call(&block.call);
                self.macro_declaration(&block.macro_decl);
            }
            ast::Stmt::Do(action) => self.call(&action.call),
            ast::Stmt::Import(part) => self.other_template(part.span()),
            ast::Stmt::FromImport(part) => self.other_template(part.span()),
            ast::Stmt::Extends(part) => self.other_template(part.span()),
            ast::Stmt::Include(part) => self.other_template(part.span()),
        }
    }

    fn other_template(&mut self, span: minijinja::machinery::Span) {
        let message = "a template stands alone: write the content out instead of `include`, \
                       `extends` or `import`";
        self.fault(span.start_line.into(), message.into());
    }

    fn for_loop(&mut self, each: &ast::ForLoop<'s>) {
        self.expression(&each.iter, Use::Needed);
        self.nested(&["loop"], |walk| {
            walk.targets(&each.target);
            if let Some(filter) = &each.filter_expr {
                walk.condition(filter);
            }
            walk.statements(&each.body);
        });
        self.nested(&[], |walk| walk.statements(&each.else_body));
    }

    fn branch(&mut self, branch: &ast::IfCond<'s>) {
        self.condition(&branch.expr);
        for (body, outcome) in [(&branch.true_body, true), (&branch.false_body, false)] {
            let granted = self.granted(&branch.expr, outcome);
            let before = self.guards.enter(granted);
            self.scopes.push();
            self.statements(body);
            // Which branch ran is not known afterwards: the names stay, their meaning does not.
            self.scopes.pop_keeping_names();
            self.guards.leave(before);
        }
    }

    fn macro_declaration(&mut self, declared: &ast::Macro<'s>) {
        self.scopes.assign(declared.name, Meaning::Other);
        self.nested(&["caller"], |walk| {
            for argument in &declared.args {
                walk.targets(argument);
            }
            for value in &declared.defaults {
                walk.expression(value, Use::Needed);
            }
            walk.statements(&declared.body);
        });
    }

    /// `target = value`: a name given to a path is an alias of it; what is needed is found where the
    /// alias is used.
    fn assignment(&mut self, target: &ast::Expr<'s>, value: &ast::Expr<'s>) {
        if let (ast::Expr::Var(name), Some(path)) = (target, self.path(value)) {
            self.need(&path, value, Use::Optional);
            self.scopes.assign(name.id, Meaning::Data(path));
        } else {
            self.expression(value, Use::Needed);
            self.targets(target);
        }
    }

    fn targets(&mut self, target: &ast::Expr<'s>) {
        match target {
            ast::Expr::Var(name) => self.scopes.assign(name.id, Meaning::Other),
            ast::Expr::List(list) => list.items.iter().for_each(|item| self.targets(item)),
            ast::Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.targets(item)),
            // `ns.count = 1` assigns no name.
            ast::Expr::GetAttr(_)
            | ast::Expr::Const(_)
            | ast::Expr::Slice(_)
            | ast::Expr::UnaryOp(_)
            | ast::Expr::BinOp(_)
            | ast::Expr::Compare(_)
            | ast::Expr::IfExpr(_)
            | ast::Expr::Filter(_)
            | ast::Expr::Test(_)
            | ast::Expr::GetItem(_)
            | ast::Expr::Call(_)
            | ast::Expr::Map(_) => {}
        }
    }

    fn expression(&mut self, expression: &ast::Expr<'s>, used: Use) {
        if let Some(path) = self.path(expression) {
            return self.need(&path, expression, used);
        }
        match expression {
            ast::Expr::Var(name) => self.name(name),
            ast::Expr::Const(_) => {}
            ast::Expr::Slice(slice) => {
                self.expression(&slice.expr, used);
                for bound in [&slice.start, &slice.stop, &slice.step].into_iter().flatten() {
                    self.expression(bound, Use::Needed);
                }
            }
            ast::Expr::UnaryOp(operation) => match operation.op {
                ast::UnaryOpKind::Not => self.condition(&operation.expr),
                ast::UnaryOpKind::Neg => self.expression(&operation.expr, Use::Needed),
            },
            ast::Expr::BinOp(operation) => self.binary(operation, used),
            ast::Expr::Compare(comparison) => {
                self.expression(&comparison.expr, Use::Needed);
                for operation in &comparison.ops {
                    self.expression(&operation.expr, Use::Needed);
                }
            }
            ast::Expr::IfExpr(choice) => self.choice(choice, used),
            ast::Expr::Filter(filter) => self.filter(filter, filter.span().start_line.into()),
            ast::Expr::Test(test) => self.test(test),
            ast::Expr::GetAttr(part) => self.expression(&part.expr, used),
            ast::Expr::GetItem(part) => {
                self.expression(&part.expr, used);
                self.expression(&part.subscript_expr, Use::Needed);
            }
            ast::Expr::Call(call) => self.call(call),
            ast::Expr::List(list) => list.items.iter().for_each(|e| self.expression(e, used)),
            ast::Expr::Tuple(tuple) => tuple.items.iter().for_each(|e| self.expression(e, used)),
            ast::Expr::Map(map) => {
                map.keys.iter().chain(&map.values).for_each(|e| self.expression(e, used));
            }
        }
    }

    fn binary(&mut self, operation: &ast::BinOp<'s>, used: Use) {
        match operation.op {
            // `a or b` is b where a is missing; b is looked at only then.
            ast::BinOpKind::ScOr => {
                self.expression(&operation.left, Use::Optional);
                self.when(&operation.left, false, |walk| walk.expression(&operation.right, used));
            }
            ast::BinOpKind::ScAnd => {
                self.condition(&operation.left);
                self.when(&operation.left, true, |walk| walk.expression(&operation.right, used));
            }
            ast::BinOpKind::Eq
            | ast::BinOpKind::Ne
            | ast::BinOpKind::Lt
            | ast::BinOpKind::Lte
            | ast::BinOpKind::Gt
            | ast::BinOpKind::Gte
            | ast::BinOpKind::Add
            | ast::BinOpKind::Sub
            | ast::BinOpKind::Mul
            | ast::BinOpKind::Div
            | ast::BinOpKind::FloorDiv
            | ast::BinOpKind::Rem
            | ast::BinOpKind::Pow
            | ast::BinOpKind::Concat
            | ast::BinOpKind::In => {
                self.expression(&operation.left, Use::Needed);
                self.expression(&operation.right, Use::Needed);
            }
        }
    }

    fn choice(&mut self, choice: &ast::IfExpr<'s>, used: Use) {
        self.condition(&choice.test_expr);
        self.when(&choice.test_expr, true, |walk| walk.expression(&choice.true_expr, used));
        if let Some(otherwise) = &choice.false_expr {
            self.when(&choice.test_expr, false, |walk| walk.expression(otherwise, used));
        }
    }

    fn filter(&mut self, filter: &ast::Filter<'s>, line: u32) {
        if !self.renders(&format!("''|{}", filter.name), ErrorKind::UnknownFilter) {
            self.fault(line, format!("unknown filter `{}`", filter.name));
        }
        let used = if matches!(filter.name, "default" | "d") { Use::Optional } else { Use::Needed };
        if let Some(value) = &filter.expr {
            self.expression(value, used);
        }
        self.arguments(&filter.args);
    }

    fn test(&mut self, test: &ast::Test<'s>) {
        if !self.renders(&format!("'' is {}", test.name), ErrorKind::UnknownTest) {
            let line = test.expr.span().start_line.into();
            self.fault(line, format!("unknown test `{}`", test.name));
        }
        let used =
            if matches!(test.name, "defined" | "undefined") { Use::Optional } else { Use::Needed };
        self.expression(&test.expr, used);
        self.arguments(&test.args);
    }

    fn call(&mut self, call: &ast::Call<'s>) {
        // `ctx.lines.items()`: the last name is the method's, not the data's.
        if let ast::Expr::GetAttr(method) = &call.expr {
            self.expression(&method.expr, Use::Needed);
        } else {
            self.expression(&call.expr, Use::Needed);
        }
        self.arguments(&call.args);
    }

    fn arguments(&mut self, arguments: &[ast::CallArg<'s>]) {
        for argument in arguments {
            match argument {
                ast::CallArg::Pos(value)
                | ast::CallArg::Kwarg(_, value)
                | ast::CallArg::PosSplat(value)
                | ast::CallArg::KwargSplat(value) => self.expression(value, Use::Needed),
            }
        }
    }

    /// Whether evaluating `expression` fails, if at all, for something else than `unknown`: the only
    /// way to ask the environment for the filters and tests it has.
    fn renders(&self, expression: &str, unknown: ErrorKind) -> bool {
        let compiled = self.environment.compile_expression(expression);
        match compiled.and_then(|compiled| compiled.eval(())) {
            Ok(_) => true,
            Err(error) => error.kind() != unknown,
        }
    }

    /// An expression of which only the truth is asked: a missing path is simply untrue.
    fn condition(&mut self, expression: &ast::Expr<'s>) {
        if let ast::Expr::BinOp(operation) = expression
            && let ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr = operation.op
        {
            let left_was = matches!(operation.op, ast::BinOpKind::ScAnd);
            self.condition(&operation.left);
            self.when(&operation.left, left_was, |walk| walk.condition(&operation.right));
        } else {
            self.expression(expression, Use::Optional);
        }
    }

    /// Runs `body` knowing that `condition` came out as `outcome`.
    fn when(&mut self, condition: &ast::Expr<'s>, outcome: bool, body: impl FnOnce(&mut Self)) {
        let granted = self.granted(condition, outcome);
        let before = self.guards.enter(granted);
        body(self);
        self.guards.leave(before);
    }

    /// The paths that exist for certain where `condition` came out as `outcome`.
    fn granted(&self, condition: &ast::Expr<'s>, outcome: bool) -> Vec<DataPath> {
        if let Some(path) = self.path(condition) {
            return if outcome { vec![path] } else { Vec::new() };
        }
        if let ast::Expr::UnaryOp(operation) = condition
            && matches!(operation.op, ast::UnaryOpKind::Not)
        {
            return self.granted(&operation.expr, !outcome);
        }
        if let ast::Expr::BinOp(operation) = condition
            && let (ast::BinOpKind::ScAnd, true) | (ast::BinOpKind::ScOr, false) =
                (&operation.op, outcome)
        {
            let mut paths = self.granted(&operation.left, outcome);
            paths.extend(self.granted(&operation.right, outcome));
            return paths;
        }
        if let ast::Expr::Test(test) = condition
            && let ("defined", true) | ("undefined", false) = (test.name, outcome)
        {
            return self.path(&test.expr).into_iter().collect();
        }
        Vec::new()
    }

    fn name(&mut self, name: &ast::Spanned<ast::Var<'s>>) {
        let known = self.scopes.meaning(name.id).is_some()
            || self.environment.globals().any(|(global, _)| global == name.id);
        if !known {
            let message = format!(
                "unknown variable `{0}`: the event's data stands under `ctx`, as in `ctx.{0}`",
                name.id
            );
            self.fault(name.span().start_line.into(), message);
        }
    }

    /// The path into `ctx` that `expression` names, if it names one.
    fn path(&self, expression: &ast::Expr<'s>) -> Option<DataPath> {
        if let ast::Expr::Var(name) = expression {
            return match self.scopes.meaning(name.id) {
                Some(Meaning::Data(path)) => Some(path.clone()),
                Some(Meaning::Other) => None,
                None => (name.id == "ctx").then(DataPath::default),
            };
        }
        if let ast::Expr::GetAttr(part) = expression {
            return self.path(&part.expr)?.with(part.name);
        }
        if let ast::Expr::GetItem(part) = expression
            && let ast::Expr::Const(key) = &part.subscript_expr
        {
            let parent = self.path(&part.expr)?;
            return match (key.value.as_str(), key.value.as_i64()) {
                (Some(name), _) => parent.with(name),
                (None, Some(index)) if index >= 0 => parent.with(&index.to_string()),
                _ => None,
            };
        }
        None
    }

    fn need(&mut self, path: &DataPath, at: &ast::Expr<'s>, used: Use) {
        if let Some(dotted) = path.dotted() {
            self.needs.mentioned.insert(dotted);
        }
        let needed = match used {
            Use::Needed => path.clone(),
            // That something may be missing is for its last name only: looking into a parent that
            // is not there is an error when the message is rendered.
            Use::Optional => path.parent(),
        };
        if self.guards.cover(&needed) {
            return;
        }
        if let Some(dotted) = needed.dotted() {
            let line = u32::from(at.span().start_line);
            self.needs
                .required
                .entry(dotted)
                .and_modify(|first| *first = line.min(*first))
                .or_insert(line);
        }
    }
}

#[cfg(test)]
mod tests;
