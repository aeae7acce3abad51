//! Helpers with their values.

use devrig_core::{Error, Result, nearest};
use serde_json::Value;

use super::Compiler;
use crate::template::ast;
use crate::template::helpers::{self, Helper, Literals};
use crate::template::program::{Call, Expr};
use crate::template::source::At;

impl Compiler<'_> {
    pub(super) fn call(&mut self, call: &ast::Call) -> Result<Expr> {
        let name = match &call.target {
            ast::Expr::Path(path) => match path.simple() {
                Some(name) => name.to_owned(),
                None => return Err(self.unknown_helper(call, &path.original, false)),
            },
            ast::Expr::Literal(literal) => literal.as_name(),
            ast::Expr::Call(_) => String::new(),
        };
        if self.param(&name).is_some() {
            let hint = "Leave the values out, or give it another name.";
            let message = format!("{name} is the name of a value here, and takes none itself");
            return Err(self.error(call.at, message, hint));
        }
        match helpers::find(&name) {
            Some(helper) => self.helper(helper, call),
            None => Err(self.unknown_helper(call, &name, false)),
        }
    }

    fn helper(&mut self, helper: &'static Helper, call: &ast::Call) -> Result<Expr> {
        self.check_count(helper, call)?;
        let mut args = Vec::new();
        for arg in &call.args {
            args.push(self.expr(arg)?);
        }
        let mut hash = Vec::new();
        for pair in &call.hash {
            let Some(name) = helper.hash.iter().find(|name| **name == pair.name) else {
                let message = format!("{} has no option {}", helper.name, pair.name);
                let hint = format!("It is written {{{{{}}}}}.", helper.usage);
                return Err(self.error(pair.at, message, hint));
            };
            hash.push((*name, self.expr(&pair.value)?));
        }
        self.check_literals(helper, call.at, &args, &hash)?;
        let (args, hash) = (args.into(), hash.into());
        Ok(Expr::Call(Box::new(Call { helper, args, hash, at: call.at })))
    }

    fn check_count(&self, helper: &Helper, call: &ast::Call) -> Result<()> {
        let count = call.args.len();
        if (helper.least..=helper.most).contains(&count) {
            return Ok(());
        }
        let expected = match (helper.least, helper.most) {
            (least, helpers::MANY) => format!("{least} or more"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let message = format!("{} takes {expected} values, not {count}", helper.name);
        Err(self.error(call.at, message, format!("It is written {{{{{}}}}}.", helper.usage)))
    }

    fn check_literals(
        &self,
        helper: &Helper,
        at: At,
        args: &[Expr],
        hash: &[(&'static str, Expr)],
    ) -> Result<()> {
        let Some(check) = helper.check else { return Ok(()) };
        let values = args.iter().map(literal).collect();
        let hash = hash.iter().map(|(name, value)| (*name, literal(value))).collect();
        check(&Literals { values, hash }).map_err(|error| self.source.locate(at, error))
    }

    pub(super) fn unknown_helper(&self, call: &ast::Call, name: &str, block: bool) -> Error {
        if helpers::is_block(name) && !block {
            let hint = format!("Write {{{{#{name} x}}}}…{{{{/{name}}}}}.");
            return self.error(call.at, format!("{name} is a block"), hint);
        }
        let mut known: Vec<&str> = helpers::BLOCKS.iter().map(|block| block.name).collect();
        if !block {
            known = helpers::helpers().map(|helper| helper.name).collect();
        }
        let hint = match nearest(name, &known) {
            Some(near) => format!("Did you mean {near}?"),
            None => format!(
                "There are {}. A field whose name has spaces stands in brackets: [first name].",
                known.join(", ")
            ),
        };
        self.error(call.at, format!("there is no helper {name}"), hint)
    }
}

fn literal(expr: &Expr) -> Option<&Value> {
    match expr {
        Expr::Literal(value) => Some(value),
        _ => None,
    }
}
