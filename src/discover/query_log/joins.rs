//! Which columns a statement compares with which: `ON` and `WHERE` equalities, `USING`, and `IN (SELECT …)`, with aliases resolved in the
//! query where they stand or one around it. What cannot be resolved to a known table and column counts nothing.

use super::tokens::{Token, tokens};
use super::{Names, Place};

/// Words after a table's name that are no alias.
const NO_ALIAS: [&str; 33] = [
    "on",
    "using",
    "where",
    "join",
    "left",
    "right",
    "inner",
    "outer",
    "cross",
    "full",
    "natural",
    "group",
    "order",
    "limit",
    "set",
    "values",
    "union",
    "having",
    "for",
    "force",
    "use",
    "ignore",
    "straight_join",
    "returning",
    "select",
    "offset",
    "window",
    "when",
    "default",
    "except",
    "intersect",
    "tablesample",
    "fetch",
];

/// A query or the query around it: the tables that its names can mean.
#[derive(Default)]
struct Scope {
    parent: Option<usize>,
    /// Alias and table.
    tables: Vec<(String, String)>,
}

/// A column as written.
#[derive(Clone)]
struct Written {
    qualifier: Option<String>,
    column: String,
    scope: usize,
}

/// Pairs of columns, each in order.
pub fn equalities(statement: &str, names: &Names) -> Vec<(Place, Place)> {
    let mut reading =
        Reading { tokens: tokens(statement), at: 0, scopes: vec![Scope::default()], open: vec![0], pairs: Vec::new() };
    let mut found = Vec::new();
    reading.all(names, &mut found);
    for (left, right) in &reading.pairs {
        if let (Some(left), Some(right)) = (reading.resolve(left, names), reading.resolve(right, names))
            && left != right
        {
            found.push(if left <= right { (left, right) } else { (right, left) });
        }
    }
    found
}

struct Reading {
    tokens: Vec<Token>,
    at: usize,
    scopes: Vec<Scope>,
    /// Scope of each open bracket, the outermost first.
    open: Vec<usize>,
    pairs: Vec<(Written, Written)>,
}

impl Reading {
    fn all(&mut self, names: &Names, found: &mut Vec<(Place, Place)>) {
        while self.at < self.tokens.len() {
            match &self.tokens[self.at] {
                Token::Open => self.open_bracket(),
                Token::Close => {
                    if self.open.len() > 1 {
                        self.open.pop();
                    }
                    self.at += 1;
                }
                Token::Name(word) if matches!(word.as_str(), "from" | "join" | "update" | "into" | "straight_join") => {
                    self.at += 1;
                    self.table_list();
                }
                Token::Name(word) if word == "using" => self.using(names, found),
                Token::Name(_) | Token::Quoted(_) => self.comparison(),
                _ => self.at += 1,
            }
        }
    }

    fn scope(&self) -> usize {
        self.open.last().copied().unwrap_or(0)
    }

    fn open_bracket(&mut self) {
        self.at += 1;
        let is_query = self.is_word(self.at, "select") || self.is_word(self.at, "with");
        let scope = self.scope();
        if is_query {
            self.scopes.push(Scope { parent: Some(scope), tables: Vec::new() });
            self.open.push(self.scopes.len() - 1);
        } else {
            self.open.push(scope);
        }
    }

    fn is_word(&self, at: usize, word: &str) -> bool {
        matches!(self.tokens.get(at), Some(Token::Name(name)) if name == word)
    }

    fn name_at(&self, at: usize) -> Option<&str> {
        match self.tokens.get(at) {
            Some(Token::Name(name) | Token::Quoted(name)) => Some(name),
            _ => None,
        }
    }

    /// `a [AS] x, schema.b y`
    fn table_list(&mut self) {
        loop {
            if self.is_word(self.at, "only") || self.is_word(self.at, "lateral") {
                self.at += 1;
            }
            let Some(mut table) = self.name_at(self.at).map(str::to_owned) else { return };
            self.at += 1;
            while self.tokens.get(self.at) == Some(&Token::Dot) {
                let Some(name) = self.name_at(self.at + 1) else { break };
                table = name.to_owned();
                self.at += 2;
            }
            if self.is_word(self.at, "as") {
                self.at += 1;
            }
            let alias = match self.tokens.get(self.at) {
                Some(Token::Name(word)) if NO_ALIAS.contains(&word.as_str()) => None,
                Some(Token::Name(word) | Token::Quoted(word)) => Some(word.clone()),
                _ => None,
            };
            if alias.is_some() {
                self.at += 1;
            }
            let scope = self.scope();
            self.scopes[scope].tables.push((alias.unwrap_or_else(|| table.clone()), table));
            if self.tokens.get(self.at) != Some(&Token::Comma) {
                return;
            }
            self.at += 1;
        }
    }

    /// `USING (a, b)`: the last table and the first before it that has such a column.
    fn using(&mut self, names: &Names, found: &mut Vec<(Place, Place)>) {
        self.at += 1;
        if self.tokens.get(self.at) != Some(&Token::Open) {
            return;
        }
        self.at += 1;
        let tables = &self.scopes[self.scope()].tables;
        while let Some(column) = self.name_at(self.at) {
            if let Some(((_, last), before)) = tables.split_last()
                && let Some((_, other)) = before.iter().find(|(_, table)| names.has(table, column))
                && names.has(last, column)
            {
                let (left, right) = ((last.clone(), column.to_owned()), (other.clone(), column.to_owned()));
                found.push(if left <= right { (left, right) } else { (right, left) });
            }
            self.at += 1;
            if self.tokens.get(self.at) == Some(&Token::Comma) {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    /// `a.x = b.y`, `x = y`, `a.x IN (SELECT y …)`.
    fn comparison(&mut self) {
        let Some((left, next)) = self.column(self.at, self.scope()) else {
            self.at += 1;
            return;
        };
        self.at = next;
        if self.tokens.get(self.at) == Some(&Token::Equal) {
            if let Some((right, next)) = self.column(self.at + 1, self.scope())
                && self.tokens.get(next) != Some(&Token::Open)
            {
                self.pairs.push((left, right));
                // The right side may be the left side of nothing more; but `a = b = c` is no join either.
                self.at = next;
            }
        } else if self.is_word(self.at, "in") && self.tokens.get(self.at + 1) == Some(&Token::Open) {
            self.at += 1;
            self.open_bracket();
            if self.is_word(self.at, "select") {
                let start = if self.is_word(self.at + 1, "distinct") { self.at + 2 } else { self.at + 1 };
                if let Some((right, next)) = self.column(start, self.scope())
                    && self.is_word(next, "from")
                {
                    self.pairs.push((left, right));
                    self.at = next;
                }
            }
        }
    }

    /// A column at a place, and what comes after it.
    fn column(&self, at: usize, scope: usize) -> Option<(Written, usize)> {
        let mut parts = vec![self.name_at(at)?.to_owned()];
        let mut next = at + 1;
        while self.tokens.get(next) == Some(&Token::Dot) {
            parts.push(self.name_at(next + 1)?.to_owned());
            next += 2;
        }
        let column = parts.pop()?;
        Some((Written { qualifier: parts.pop(), column, scope }, next))
    }

    fn resolve(&self, written: &Written, names: &Names) -> Option<Place> {
        let mut scope = Some(written.scope);
        while let Some(at) = scope {
            let tables = &self.scopes[at].tables;
            let table = match &written.qualifier {
                Some(qualifier) => tables.iter().find(|(alias, table)| alias == qualifier || table == qualifier),
                None => tables.iter().find(|(_, table)| names.has(table, &written.column)),
            };
            if let Some((_, table)) = table {
                return names.has(table, &written.column).then(|| (table.clone(), written.column.clone()));
            }
            scope = self.scopes[at].parent;
        }
        None
    }
}
