//! The only code that builds SQL text for sources. Names come from the live catalogue and are quoted, values are bound, and nothing else
//! gets in: these files are meant to be proof-read.

#![expect(clippy::disallowed_methods, reason = "this folder is the one home of built statements")]

pub mod across;
pub mod advice;
pub mod as_if;
pub mod batch;
pub mod count;
pub mod cut;
pub mod discover;
pub mod fate;
pub mod inside;
pub mod mysql;
pub mod mysql_reach;
pub mod objects;
pub mod predicate;
pub mod probe;
pub mod quote;
pub mod reach;
pub mod reached;
pub mod read;
pub mod search;
pub mod several;
pub mod unseen;
pub mod way;

use crate::db::{Arg, Sql};

/// A statement and its arguments, ready to run.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The text.
    pub sql: Sql,
    /// One argument per placeholder.
    pub args: Vec<Arg>,
    /// What has to be run first: MySQL reads no temporary table twice in one statement, but a copy of it.
    pub before: Option<Sql>,
    /// What is to be done with the rows that it gives, where one statement cannot do both (MySQL).
    pub then: Option<mysql_reach::Then>,
}

impl From<Sql> for Statement {
    fn from(sql: Sql) -> Self {
        Statement { sql, args: Vec::new(), before: None, then: None }
    }
}

/// Text with arguments under construction.
pub struct Builder {
    /// The text so far.
    pub text: String,
    args: Vec<Arg>,
    before: Option<Sql>,
}

impl Builder {
    /// Starts with some text.
    pub fn new(text: impl Into<String>) -> Self {
        Builder { text: text.into(), args: Vec::new(), before: None }
    }

    /// Adds text.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds an argument; the placeholder that stands for it.
    pub fn bind(&mut self, arg: impl Into<Arg>) -> String {
        self.args.push(arg.into());
        format!("${}", self.args.len())
    }

    /// The finished statement.
    pub fn finish(self) -> Statement {
        Statement { sql: Sql::built(self.text), args: self.args, before: self.before, then: None }
    }
}
