//! Joins that an application really makes, counted from a log of its queries: PostgreSQL's log (stderr or CSV), MySQL's general log, or
//! plain SQL. Only which columns are compared with which is kept; values in the log are passed over and never stored (S-1).

mod joins;
mod lines;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};

/// Which columns each table has, in lower case: what a query's names can mean.
#[derive(Debug, Default)]
pub struct Names {
    tables: BTreeMap<String, BTreeSet<String>>,
}

impl Names {
    /// Adds a table.
    pub fn add<'n>(&mut self, table: &str, columns: impl Iterator<Item = &'n str>) {
        self.tables.entry(table.to_lowercase()).or_default().extend(columns.map(str::to_lowercase));
    }

    fn has(&self, table: &str, column: &str) -> bool {
        self.tables.get(table).is_some_and(|columns| columns.contains(column))
    }
}

/// A column as a query means it.
type Place = (String, String);

/// How often columns are compared for equality.
#[derive(Debug, Default)]
pub struct Joins {
    counts: BTreeMap<(Place, Place), u64>,
    /// Statements that were read.
    pub statements: u64,
    /// Statements that were too long and passed over.
    pub too_long: u64,
}

impl Joins {
    /// Reads a log. Its length does not matter: a statement is let go when it is counted.
    pub fn read(log: impl BufRead, names: &Names) -> io::Result<Joins> {
        let mut joins = Joins::default();
        let too_long = lines::statements(log, |statement| {
            joins.statements += 1;
            for (left, right) in joins::equalities(statement, names) {
                *joins.counts.entry((left, right)).or_default() += 1;
            }
        })?;
        joins.too_long = too_long;
        Ok(joins)
    }

    /// How often a column is compared with another.
    pub fn count(&self, table: &str, column: &str, other_table: &str, other_column: &str) -> u64 {
        let place = |table: &str, column: &str| (table.to_lowercase(), column.to_lowercase());
        let (one, other) = (place(table, column), place(other_table, other_column));
        let key = if one <= other { (one, other) } else { (other, one) };
        self.counts.get(&key).copied().unwrap_or(0)
    }

    /// Different pairs of columns.
    pub fn pairs(&self) -> usize {
        self.counts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut names = Names::default();
        names.add("posts", ["post_id", "topic_id", "poster_id", "edited_by"].into_iter());
        names.add("users", ["user_id", "username", "rank"].into_iter());
        names.add("topics", ["topic_id", "first_post_id"].into_iter());
        names
    }

    fn count(log: &str, left: (&str, &str), right: (&str, &str)) -> u64 {
        Joins::read(log.as_bytes(), &names()).unwrap().count(left.0, left.1, right.0, right.1)
    }

    #[test]
    fn aliases_are_resolved_wherever_the_join_is_written() {
        let (poster, user) = (("posts", "poster_id"), ("users", "user_id"));
        for log in [
            "SELECT u.username FROM posts p JOIN users u ON p.poster_id = u.user_id WHERE p.post_id = 7;",
            "select username from posts as p, users as u where u.user_id=p.poster_id and p.post_id = 'x;y';",
            "SELECT * FROM `posts` LEFT JOIN `users` ON (`posts`.`poster_id` = `users`.`user_id`);",
            "SELECT 1 FROM public.\"posts\" \"p\" INNER JOIN users ON user_id = poster_id;",
            "DELETE FROM posts WHERE poster_id IN (SELECT user_id FROM users WHERE rank = 0);",
            "SELECT * FROM users u WHERE EXISTS (SELECT 1 FROM posts WHERE posts.poster_id = u.user_id);",
            "UPDATE posts SET edited_by = NULL FROM users AS x WHERE x.user_id = posts.poster_id;",
        ] {
            assert_eq!(count(log, poster, user), 1, "{log}");
        }
        assert_eq!(count("SELECT * FROM posts JOIN topics USING (topic_id);", ("topics", "topic_id"), ("posts", "topic_id")), 1);
    }

    #[test]
    fn statements_are_found_in_the_logs_of_servers() {
        let join = "SELECT * FROM posts p JOIN users u ON p.poster_id = u.user_id";
        let stderr = format!(
            "2026-11-24 09:00:00.000 UTC [7] LOG:  statement: {join}\n\tWHERE p.post_id = 3\n2026-11-24 09:00:01 UTC [7] LOG:  duration: 0.3 ms\n"
        );
        let csv = format!(
            "2026-11-24 09:00:00 UTC,\"app\",\"db\",7,\"[local]\",,1,\"SELECT\",,,0,LOG,00000,\"execute <unnamed>: {join}\",,,,\n"
        );
        let mysql = format!("2026-11-24T09:00:00.000000Z\t    8 Query\t{join}\n2026-11-24T09:00:00.000000Z\t    8 Quit\n");
        for log in [stderr, csv, mysql] {
            assert_eq!(count(&log, ("posts", "poster_id"), ("users", "user_id")), 1, "{log}");
        }
    }

    #[test]
    fn what_is_no_join_counts_nothing() {
        let log = "SELECT * FROM posts WHERE poster_id = 4; -- p.poster_id = u.user_id\nINSERT INTO users VALUES (1, 'p.poster_id = u.user_id');";
        assert_eq!(Joins::read(log.as_bytes(), &names()).unwrap().pairs(), 0);
    }

    #[test]
    fn a_statement_without_end_is_passed_over_and_counted() {
        let mut log = "SELECT ".to_owned();
        log.push_str(&"x, ".repeat(100_000));
        let joins = Joins::read(log.as_bytes(), &names()).unwrap();
        assert_eq!((joins.statements, joins.too_long), (0, 1));
    }
}
