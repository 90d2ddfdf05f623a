//! Declared column types in the words that every database shares ([`ColumnType`]). PostgreSQL tells the base type, so that a domain
//! is what it stands on; SQLite keeps whatever was written in CREATE TABLE, which is read as its authors meant it.

use crate::value::ColumnType;

/// A PostgreSQL base type, domains already followed.
pub(super) struct PostgresType<'a> {
    /// `pg_type.typname`.
    pub name: &'a str,
    /// `pg_type.typtype`: b(ase), e(num), c(omposite), r(ange), m(ultirange).
    pub kind: &'a str,
    /// `pg_type.typcategory`: `A` is an array.
    pub category: &'a str,
}

/// PostgreSQL's type in our words.
pub(super) fn from_postgres(base: &PostgresType<'_>) -> ColumnType {
    if base.category == "A" {
        return ColumnType::Array;
    }
    if base.kind == "e" {
        return ColumnType::Text;
    }
    if base.kind != "b" {
        return ColumnType::Other;
    }
    match base.name {
        "int2" | "int4" | "int8" | "oid" => ColumnType::Integer,
        "numeric" => ColumnType::Decimal,
        "float4" | "float8" => ColumnType::Float,
        "bool" => ColumnType::Boolean,
        "text" | "varchar" | "bpchar" | "char" | "name" | "citext" => ColumnType::Text,
        "timestamptz" => ColumnType::TimestampUtc,
        "timestamp" => ColumnType::TimestampLocal,
        "date" => ColumnType::Date,
        "time" | "timetz" => ColumnType::Time,
        "interval" => ColumnType::Interval,
        "uuid" => ColumnType::Uuid,
        "json" | "jsonb" => ColumnType::Json,
        "bytea" => ColumnType::Bytes,
        _ => ColumnType::Other,
    }
}

/// Characters at most of a PostgreSQL type: its modifier counts four bytes of header.
pub(super) fn postgres_max_length(base: &PostgresType<'_>, modifier: i64) -> Option<usize> {
    if !matches!(base.name, "varchar" | "bpchar") {
        return None;
    }
    usize::try_from(modifier.checked_sub(4)?).ok()
}

/// MySQL's type in our words: the type by itself, and with its width and signs. One bit, and an integer that is one digit wide, are how people
/// write booleans there.
pub(super) fn from_mysql(data_type: &str, declared: &str) -> ColumnType {
    match data_type {
        "tinyint" if declared.starts_with("tinyint(1)") => ColumnType::Boolean,
        "bit" if declared == "bit(1)" => ColumnType::Boolean,
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "year" => ColumnType::Integer,
        "decimal" | "numeric" => ColumnType::Decimal,
        "float" | "double" | "real" => ColumnType::Float,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set" => ColumnType::Text,
        "timestamp" => ColumnType::TimestampUtc,
        "datetime" => ColumnType::TimestampLocal,
        "date" => ColumnType::Date,
        "time" => ColumnType::Time,
        "uuid" => ColumnType::Uuid,
        "json" => ColumnType::Json,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => ColumnType::Bytes,
        // Shapes have no text of their own that reads back: their bytes do.
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection" | "geomcollection" => ColumnType::Bytes,
        _ => ColumnType::Other,
    }
}

/// SQLite's declared type in our words. SQLite itself knows affinities only; these words are what applications write.
pub(super) fn from_sqlite(declared: &str) -> ColumnType {
    let upper = declared.to_ascii_uppercase();
    let words: Vec<&str> = upper.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if has(&["BOOL", "BOOLEAN"]) {
        ColumnType::Boolean
    } else if has(&["TIMESTAMPTZ"]) || (has(&["TIMESTAMP"]) && has(&["ZONE"]) && !has(&["WITHOUT"])) {
        ColumnType::TimestampUtc
    } else if has(&["TIMESTAMP", "DATETIME"]) {
        ColumnType::TimestampLocal
    } else if has(&["DATE"]) {
        ColumnType::Date
    } else if has(&["TIME"]) {
        ColumnType::Time
    } else if has(&["INTERVAL"]) {
        ColumnType::Interval
    } else if has(&["DECIMAL", "NUMERIC", "NUMBER", "MONEY"]) {
        ColumnType::Decimal
    } else if has(&["JSON", "JSONB"]) {
        ColumnType::Json
    } else if has(&["UUID", "GUID"]) {
        ColumnType::Uuid
    } else if has(&["BLOB", "BYTEA", "BINARY", "VARBINARY"]) {
        ColumnType::Bytes
    } else if has(&["REAL", "FLOAT", "FLOAT4", "FLOAT8", "DOUBLE"]) {
        ColumnType::Float
    } else if words.iter().any(|word| is_integer_word(word)) {
        ColumnType::Integer
    } else {
        ColumnType::Text
    }
}

fn is_integer_word(word: &str) -> bool {
    word.ends_with("INT") && !word.ends_with("POINT")
        || matches!(word, "INTEGER" | "INT2" | "INT4" | "INT8" | "SERIAL" | "BIGSERIAL")
}

/// `VARCHAR(40)`: 40. SQLite does not enforce it, but the application counts on it.
pub(super) fn sqlite_max_length(declared: &str) -> Option<usize> {
    if from_sqlite(declared) != ColumnType::Text {
        return None;
    }
    let (_, rest) = declared.split_once('(')?;
    rest.split(')').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base<'a>(name: &'a str, kind: &'a str, category: &'a str) -> PostgresType<'a> {
        PostgresType { name, kind, category }
    }

    #[test]
    fn postgres_types_are_read_by_their_base() {
        assert_eq!(from_postgres(&base("int8", "b", "N")), ColumnType::Integer);
        assert_eq!(from_postgres(&base("_text", "b", "A")), ColumnType::Array);
        assert_eq!(from_postgres(&base("mood", "e", "E")), ColumnType::Text);
        assert_eq!(from_postgres(&base("tstzrange", "r", "R")), ColumnType::Other);
        assert_eq!(from_postgres(&base("inet", "b", "I")), ColumnType::Other);
    }

    #[test]
    fn a_length_limit_is_known_where_there_is_one() {
        assert_eq!(postgres_max_length(&base("varchar", "b", "S"), 44), Some(40));
        assert_eq!(postgres_max_length(&base("varchar", "b", "S"), -1), None);
        assert_eq!(postgres_max_length(&base("numeric", "b", "N"), 44), None);
        assert_eq!(sqlite_max_length("VARCHAR(40)"), Some(40));
        assert_eq!(sqlite_max_length("DECIMAL(10,2)"), None);
        assert_eq!(sqlite_max_length("TEXT"), None);
    }

    #[test]
    fn sqlite_types_are_read_as_their_authors_meant_them() {
        for (declared, expected) in [
            ("INTEGER", ColumnType::Integer),
            ("unsigned big int", ColumnType::Integer),
            ("tinyint(1)", ColumnType::Integer),
            ("boolean", ColumnType::Boolean),
            ("DATE", ColumnType::Date),
            ("datetime", ColumnType::TimestampLocal),
            ("TIMESTAMP WITH TIME ZONE", ColumnType::TimestampUtc),
            ("timestamp without time zone", ColumnType::TimestampLocal),
            ("DECIMAL(10, 2)", ColumnType::Decimal),
            ("double precision", ColumnType::Float),
            ("jsonb", ColumnType::Json),
            ("uuid", ColumnType::Uuid),
            ("BLOB", ColumnType::Bytes),
            ("VARCHAR(20)", ColumnType::Text),
            ("POINT", ColumnType::Text),
            ("", ColumnType::Text),
        ] {
            assert_eq!(from_sqlite(declared), expected, "{declared}");
        }
    }
}
