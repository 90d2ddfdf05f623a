//! Databases with the values that break exporters, as the validators' tests use them: every kind of type that PostgreSQL has, and what
//! SQLite lets into any column.

/// Who owns the rows.
pub const EMAIL: &str = "ada@example.com";

/// One table on PostgreSQL. Row 1 has everything, row 2 the other ends of the ranges, row 3 nothing but NULL.
pub const POSTGRES: &str = r#"
CREATE TYPE mood AS ENUM ('sad', 'so-so', 'it''s "fine"');
CREATE TYPE place AS (street text, number int);
CREATE DOMAIN shout AS text CHECK (value = upper(value));
CREATE TABLE awkward (
    id bigint PRIMARY KEY, email text,
    c_small smallint, c_int int, c_big bigint, c_oid oid, c_numeric numeric, c_fixed numeric(40, 20), c_nan numeric,
    c_real real, c_double double precision, c_money money, c_bool boolean,
    c_text text, c_varchar varchar(40), c_char char(8), c_name name, c_long text, c_empty text, c_formula text, c_guarded text, c_eof text,
    c_timestamptz timestamptz, c_timestamp timestamp, c_bc timestamptz, c_date date, c_forever date, c_time time, c_timetz timetz,
    c_interval interval, c_negative interval,
    c_bytea bytea, c_bit bit(5), c_varbit bit varying, c_uuid uuid, c_inet inet, c_cidr cidr, c_mac macaddr,
    c_json json, c_jsonb jsonb, c_json_text json, c_json_number json, c_ints int[], c_texts text[], c_stamps timestamptz[],
    c_range int4range, c_period tstzrange, c_multi int4multirange, c_xml xml, c_mood mood, c_moods mood[], c_shout shout, c_place place,
    c_point point, c_words tsvector, c_path jsonpath, "C odd; ""name""" text
);
INSERT INTO awkward VALUES (
    1, 'ada@example.com',
    -32768, -2147483648, -9223372036854775808, 4294967295, 1234567890123456789012345678901234567890,
    12345678901234567890.12345678901234567890, 'NaN', 0.1, 'NaN', '-$92,233,720,368,547,758.08', true,
    E'line one\nline two\r\nline "three"\t\u0001 👩🏽‍💻 שלום \u202Eright\u202C \u00e9 e\u0301 \ufeff', 'a,b;c', 'pad', 'name',
    repeat('0123456789 äöü 🙂 ', 12000), '', '=HYPERLINK("http://evil.example","click")', '''=already guarded', E'\\.',
    'infinity', '2024-02-29 23:59:59.123456', '0044-03-15 12:00:00+00 BC', '4713-01-01 BC', '-infinity', '23:59:60', '12:34:56.7+05:30',
    '1 year 2 mons 3 days 04:05:06.789', '-1 day -00:00:00.000001',
    '\x00ff10274d', B'10101', B'1', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '::ffff:1.2.3.4/128', '10.0.0.0/8', '08:00:2b:01:02:03',
    '{"b": 1,  "a":2,"b":3, "n": 1.10}', '{"b": 1, "big": 123456789012345678901234567890.5, "a": [null, {"x": "=1+1"}]}', '"plain \"text\""',
    '-0.50', '{{1,2},{3,NULL}}', ARRAY['a,b', 'NULL', NULL, '"q"', ''], ARRAY['2024-01-01 00:00+00'::timestamptz, 'infinity'],
    '[1,10)', '[2024-01-01 00:00+00,infinity)', '{[1,3),[5,8)}', '<a b="1">x &amp; y</a>', 'it''s "fine"', '{sad,NULL}', 'LOUD', ROW('a "b"', 7),
    '(1.5,-2)', 'cat & fat:2A', '$.a[*]', '@SUM(A1)'
), (
    2, 'ada@example.com',
    32767, 2147483647, 9007199254740993, 0, -0.000000000000000000000000000000000000000000000000000000000001, -1, '-Infinity',
    '-Infinity', 1e300, 0, false,
    '+49 1', '-5', E'\t', '', 'x', E'\r\n', '''', '@x', ' ',
    '2024-03-31 02:30:00.5+02', '0001-01-01 00:00:00', '294276-12-31 23:59:59+00', '9999-12-31', '5874897-12-31', '00:00', '00:00-12',
    '0', '-178000000 years',
    '', B'00000', '', '00000000-0000-0000-0000-000000000000', '0.0.0.0', '::/0', 'ff:ff:ff:ff:ff:ff',
    '[]', 'null', '""', '1e400', '{}', '{}', NULL, 'empty', '(,)', '{}', '', 'sad', '{}', '', ROW(NULL, NULL),
    '(NaN,Infinity)', '', '$', ''
);
INSERT INTO awkward (id, email) VALUES (3, 'ada@example.com'), (4, 'grace@example.com');
"#;

/// The columns of [`POSTGRES`], for a map.
pub fn map(columns: &[String]) -> String {
    let mut map = "dataset:\n  - fides_key: app\n    collections:\n      - name: awkward\n        description: All sorts\n        habeas: {on_erasure: delete}\n        fields:\n".to_owned();
    for column in columns {
        let name = serde_json::to_string(column).expect("JSON is YAML");
        let more = match column.as_str() {
            "id" => ", fides_meta: {primary_key: true}",
            "email" => ", data_categories: [user.contact.email], fides_meta: {identity: email}",
            _ => "",
        };
        map.push_str(&format!("          - {{name: {name}{more}}}\n"));
    }
    map
}

/// One table on SQLite: any storage class in any column, text that is no UTF-8, NULs, infinities, what looks like dates and is none.
pub const SQLITE: &str = r#"
CREATE TABLE awkward (
    id INTEGER PRIMARY KEY, email TEXT, c_text TEXT, c_blob BLOB, c_any, c_int INTEGER, c_real REAL, c_decimal DECIMAL(10, 2), c_bool BOOLEAN,
    c_date DATE, c_datetime DATETIME, c_json JSON, c_uuid UUID
);
INSERT INTO awkward VALUES
    (1, 'ada@example.com', 'plain', x'00ff', 1, 9223372036854775807, 0.1, 5.10, 1, '2024-02-29', '2024-02-29 12:00:00', '{"a": 1}',
        'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'),
    (2, 'ada@example.com', CAST(x'ff41fe' AS TEXT), 'text in a blob', 1.5, 'not a number', 9e999, 'x', 'yes', '0000-00-00', 1700000000, '{broken',
        'no uuid'),
    (3, 'ada@example.com', 'a' || char(0) || 'b', x'', 'text', x'0102', -9e999, 1e300, 2, 20240229, 'yesterday', NULL, x'00'),
    (4, 'ada@example.com', '=1+1', zeroblob(100000), x'00', -9223372036854775808, -0.0, '-5', 0, '', '', 'null', ''),
    (5, 'ada@example.com', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (6, 'grace@example.com', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
"#;
