//! Schemas of real applications as `tests/fixtures/discover/*.schema` describe them: the script that lays one out with made-up rows, and
//! the references that are true in it. Nothing of the references reaches the database's declarations.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use super::dice::Dice;
use super::made_up;

/// A reference: table and column, and what they refer to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The table that refers.
    pub table: String,
    /// Its column.
    pub column: String,
    /// The table referred to.
    pub target: String,
    /// Its column.
    pub target_column: String,
}

/// The values of a column, row by row.
type Values = Vec<Option<String>>;

/// A described schema.
pub struct SchemaFile {
    /// Its tables, in the order of the file.
    pub tables: Vec<TableText>,
    /// Values by table and column, once they are made.
    made: RefCell<HashMap<(usize, usize), Values>>,
}

/// A described table.
pub struct TableText {
    /// Its name.
    pub name: String,
    rows: usize,
    columns: Vec<ColumnText>,
    keys: Vec<(String, Vec<String>)>,
}

struct ColumnText {
    name: String,
    sql_type: String,
    words: Vec<String>,
}

impl TableText {
    /// Names of its columns.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// The column that is its whole primary key.
    pub fn single_key(&self) -> Option<&str> {
        let key = self.keys.iter().find(|(kind, _)| kind == "pk").map(|(_, columns)| columns.as_slice());
        match key {
            Some([only]) => Some(only),
            _ => None,
        }
    }
}

impl SchemaFile {
    /// Reads a description.
    pub fn parse(text: &str) -> SchemaFile {
        let mut tables: Vec<TableText> = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            match words[0].as_str() {
                "table" => tables.push(TableText {
                    name: words[1].clone(),
                    rows: words[3].parse().expect("a number of rows"),
                    columns: Vec::new(),
                    keys: Vec::new(),
                }),
                kind @ ("pk" | "unique" | "index") if words.len() == 2 => {
                    let columns = words[1].split(',').map(str::to_owned).collect();
                    tables.last_mut().expect("a table").keys.push((kind.to_owned(), columns));
                }
                _ => tables.last_mut().expect("a table").columns.push(ColumnText {
                    name: words[0].clone(),
                    sql_type: words[1].clone(),
                    words: words[2..].to_vec(),
                }),
            }
        }
        SchemaFile { tables, made: RefCell::default() }
    }

    /// All true references.
    pub fn references(&self) -> BTreeSet<Reference> {
        let mut found = BTreeSet::new();
        for table in &self.tables {
            for column in &table.columns {
                let targets: Vec<&str> = match column.words[0].as_str() {
                    "ref" => vec![&column.words[1]],
                    "poly" => column.words[2..].iter().filter_map(|word| Some(word.split_once('=')?.1)).collect(),
                    _ => Vec::new(),
                };
                for target in targets {
                    let (target, target_column) = target.split_once('.').expect("table.column");
                    found.insert(Reference {
                        table: table.name.clone(),
                        column: column.name.clone(),
                        target: target.to_owned(),
                        target_column: target_column.to_owned(),
                    });
                }
            }
        }
        found
    }

    /// CREATE TABLE, INSERT and CREATE INDEX, for SQLite and PostgreSQL alike.
    pub fn script(&self) -> String {
        let mut script = String::new();
        for at in 0..self.tables.len() {
            self.create(at, &mut script);
            self.insert(at, &mut script);
        }
        script
    }

    fn create(&self, at: usize, script: &mut String) {
        let table = &self.tables[at];
        let mut parts: Vec<String> =
            table.columns.iter().map(|column| format!("\"{}\" {}", column.name, column.sql_type)).collect();
        for (kind, columns) in &table.keys {
            let listed = columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ");
            match kind.as_str() {
                "pk" => parts.push(format!("PRIMARY KEY ({listed})")),
                "unique" => parts.push(format!("UNIQUE ({listed})")),
                _ => {}
            }
        }
        writeln!(script, "CREATE TABLE \"{}\" ({});", table.name, parts.join(", ")).expect("text");
        for (number, (_, columns)) in table.keys.iter().filter(|(kind, _)| kind == "index").enumerate() {
            let listed = columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ");
            writeln!(script, "CREATE INDEX \"{0}_{number}\" ON \"{0}\" ({listed});", table.name).expect("text");
        }
    }

    fn insert(&self, at: usize, script: &mut String) {
        let table = &self.tables[at];
        let columns: Vec<Vec<Option<String>>> = (0..table.columns.len()).map(|column| self.values(at, column)).collect();
        let unique: Vec<Vec<usize>> = table
            .keys
            .iter()
            .filter(|(kind, _)| kind != "index")
            .map(|(_, names)| names.iter().map(|name| self.column_of(at, name)).collect())
            .collect();
        let mut seen: Vec<BTreeSet<Vec<&Option<String>>>> = vec![BTreeSet::new(); unique.len()];
        let mut rows = Vec::new();
        for row in 0..table.rows {
            let keys: Vec<Vec<&Option<String>>> =
                unique.iter().map(|key| key.iter().map(|column| &columns[*column][row]).collect()).collect();
            if keys.iter().zip(&seen).any(|(key, seen)| seen.contains(key) || key.iter().any(|part| part.is_none())) {
                continue;
            }
            keys.into_iter().zip(&mut seen).for_each(|(key, seen)| {
                seen.insert(key);
            });
            let values: Vec<String> = columns.iter().map(|column| literal(column[row].as_deref())).collect();
            rows.push(format!("({})", values.join(",")));
        }
        for some in rows.chunks(400) {
            writeln!(script, "INSERT INTO \"{}\" VALUES {};", table.name, some.join(",")).expect("text");
        }
    }

    fn table_of(&self, name: &str) -> usize {
        self.tables.iter().position(|table| table.name == name).unwrap_or_else(|| panic!("no table {name}"))
    }

    fn column_of(&self, table: usize, name: &str) -> usize {
        let columns = &self.tables[table].columns;
        columns.iter().position(|column| column.name == name).unwrap_or_else(|| panic!("no column {name}"))
    }

    /// The values of a column, made when first asked for: references need those of other tables.
    fn values(&self, table: usize, column: usize) -> Vec<Option<String>> {
        if let Some(values) = self.made.borrow().get(&(table, column)) {
            return values.clone();
        }
        let described = &self.tables[table];
        let words = &described.columns[column].words;
        let place = format!("{}.{}", described.name, described.columns[column].name);
        let mut dice = Dice::new(seed(&place));
        let values = match words[0].as_str() {
            "ref" => self.referring(described, words, &mut dice),
            "poly" => self.by_kind(table, words, &mut dice),
            _ => (0..described.rows).map(|row| made_up::value(words, row, described.rows, &mut dice)).collect(),
        };
        self.made.borrow_mut().insert((table, column), values.clone());
        values
    }

    fn target(&self, address: &str) -> Vec<Option<String>> {
        let (table, column) = address.split_once('.').expect("table.column");
        let at = self.table_of(table);
        self.values(at, self.column_of(at, column))
    }

    fn referring(&self, described: &TableText, words: &[String], dice: &mut Dice) -> Vec<Option<String>> {
        let option = |name: &str| words.iter().position(|word| word == name);
        let percent = |name: &str, after: usize| option(name).map_or(0, |at| words[at + after].parse::<u64>().expect("percent"));
        let source = option("from").map_or(words[1].as_str(), |at| &words[at + 1]);
        let target = self.target(source);
        let (skew, unique, whole_row) = (option("skew").is_some(), option("unique").is_some(), option("from").is_some());
        let (none, null, orphan) = (percent("none", 2), percent("null", 1), percent("orphan", 1));
        // Columns of one row that come from the same table come from the same row of it.
        let mut rows_of_target = Dice::new(seed(&format!("{} {}", described.name, source.split('.').next().unwrap_or_default())));
        let start = dice.below(7);
        (0..described.rows)
            .map(|row| {
                let count = target.len() as u64;
                let picked = match () {
                    () if whole_row => rows_of_target.below(count),
                    () if unique => (row as u64 + start) % count,
                    () if skew => made_up::skewed(dice, count),
                    () => dice.below(count),
                };
                match dice.below(100) {
                    chance if chance < none => Some(words[option("none").expect("none") + 1].clone()),
                    chance if chance < none + null => None,
                    chance if chance < none + null + orphan => Some((count * 2 + dice.below(count)).to_string()),
                    _ => target[picked as usize].clone(),
                }
            })
            .collect()
    }

    fn by_kind(&self, table: usize, words: &[String], dice: &mut Dice) -> Vec<Option<String>> {
        let kinds = self.values(table, self.column_of(table, &words[1]));
        let targets: HashMap<&str, Vec<Option<String>>> = words[2..]
            .iter()
            .map(|word| word.split_once('=').expect("word=table.column"))
            .map(|(word, address)| (word, self.target(address)))
            .collect();
        kinds
            .iter()
            .map(|kind| {
                let target = targets.get(kind.as_deref()?)?;
                target[dice.below(target.len() as u64) as usize].clone()
            })
            .collect()
    }
}

fn seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Quoted where it is not a number; both databases turn the text of a number into one where the column wants it.
fn literal(value: Option<&str>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(text) => format!("'{}'", text.replace('\'', "''")),
    }
}
