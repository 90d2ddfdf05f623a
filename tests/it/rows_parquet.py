"""Parquet files by a writer that is not ours, and what must be left of them, compared by the same foreign reader.

    python rows_parquet.py make FOLDER    writes NAME.parquet for each case, and cases.json
    python rows_parquet.py check FOLDER   compares NAME.parquet with NAME.rewritten.parquet; found rows with NAME.found.jsonl
"""

import datetime
import decimal
import json
import math
import random
import sys
import uuid

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROWS = 5000
ERASED = [[0, "7"], [0, "0"], [1, "42"], [1, "777"]]


def table(seed, rows=ROWS, kind="all"):
    chance = random.Random(seed)

    def maybe(value, of=10):
        return None if chance.randrange(of) == 0 else value

    def text(prefix, of):
        return f"{prefix}{chance.randrange(of)}"

    ids = [maybe(chance.randrange(60) if chance.randrange(8) else chance.randrange(2000)) for _ in range(rows)]
    if kind == "sorted":
        ids = sorted(chance.randrange(100_000) for _ in range(rows))
        ids[2500] = 42 if rows > 2500 else ids[-1]
        ids.sort()
    if kind == "one group":
        ids[1000:2000] = [7] * 1000
    day = datetime.date(2020, 1, 1)
    stamp = datetime.datetime(2021, 2, 3, 4, 5, 6, 789012)
    columns = {
        "id": pa.array(ids, pa.int64()),
        "uid": pa.array([None if i is None else i for i in ids], pa.uint32()),
        "small": pa.array([maybe(chance.randrange(-128, 128)) for _ in range(rows)], pa.int8()),
        "email": pa.array([None if i is None else ("" if i == 0 else f"person{i}@x.org") for i in ids], pa.string()),
        "code": pa.array([b"%03d" % ((i or 0) % 1000) for i in ids], pa.binary(3)),
        "key": pa.array([uuid.UUID(int=(i or 0) * 2**90 + (i or 0)).bytes for i in ids], pa.uuid()),
        "price": pa.array([None if i is None else decimal.Decimal(i) / 100 for i in ids], pa.decimal128(25, 2)),
        "ratio": pa.array([math.nan if i == 3 and not seed % 2 else (float(i) if i is not None else None) for i in ids], pa.float64()),
        "half": pa.array([maybe(chance.randrange(1000) / 8) for _ in range(rows)], pa.float32()),
        "yes": pa.array([maybe(chance.randrange(3) > 0) for _ in range(rows)], pa.bool_()),
        "day": pa.array([maybe(day + datetime.timedelta(days=chance.randrange(3000))) for _ in range(rows)], pa.date32()),
        "time": pa.array([maybe(stamp + datetime.timedelta(microseconds=chance.randrange(10**15))) for _ in range(rows)], pa.timestamp("us")),
        "instant": pa.array([maybe(chance.randrange(10**18)) for _ in range(rows)], pa.timestamp("ns", "UTC")),
        "note": pa.array([maybe("é😀\"\\\n" + text("note ", 10**9)) for _ in range(rows)], pa.string()),
        "blob": pa.array([maybe(bytes(chance.randrange(256) for _ in range(chance.randrange(6)))) for _ in range(rows)], pa.binary()),
        "nothing": pa.array([None] * rows, pa.int32()),
        "owner": pa.array([maybe({"id": i, "name": maybe(text("name", 50))}) for i in ids], pa.struct([("id", pa.int64()), ("name", pa.string())])),
        "tags": pa.array([maybe([maybe(text("tag", 9)) for _ in range(chance.randrange(4))]) for _ in range(rows)], pa.list_(pa.string())),
        "deep": pa.array(
            [maybe([maybe([maybe(chance.randrange(99)) for _ in range(chance.randrange(3))]) for _ in range(chance.randrange(3))]) for _ in range(rows)],
            pa.list_(pa.list_(pa.int32())),
        ),
        "members": pa.array(
            [maybe([maybe({"id": maybe(str(i if chance.randrange(3) else chance.randrange(50))), "role": text("role", 3)}, 20) for _ in range(chance.randrange(4))]) for i in ids],
            pa.list_(pa.struct([("id", pa.string()), ("role", pa.string())])),
        ),
        "props": pa.array([maybe([(text("key", 5), maybe(text("value", 9))) for _ in range(chance.randrange(3))]) for _ in range(rows)], pa.map_(pa.string(), pa.string())),
    }
    made = pa.table(columns)
    return made.replace_schema_metadata({"about": "ünïcode", "empty": ""})


CASES = {
    "plain": dict(write=dict(row_group_size=2000), field=["id"]),
    "unsigned": dict(write=dict(row_group_size=2000, compression="zstd"), field=["uid"]),
    "texts_and_bloom": dict(
        write=dict(row_group_size=900, compression="zstd", bloom_filter_options={"email": {"ndv": 900, "fpp": 0.01}, "id": {"ndv": 900, "fpp": 0.05}}),
        field=["email"],
        identifiers=[[0, "person7@x.org"], [1, ""], [1, "person42@x.org"]],
    ),
    "bloom_only": dict(
        write=dict(row_group_size=100, write_statistics=False, bloom_filter_options={"id": {"ndv": 100, "fpp": 0.01}}),
        field=["id"],
        identifiers=[[0, "777"], [1, "1999"]],
    ),
    "no_dictionary": dict(
        write=dict(
            row_group_size=2000, compression="gzip", use_dictionary=False,
            column_encoding={"id": "DELTA_BINARY_PACKED", "email": "DELTA_BYTE_ARRAY", "note": "DELTA_LENGTH_BYTE_ARRAY", "ratio": "BYTE_STREAM_SPLIT", "half": "BYTE_STREAM_SPLIT", "code": "DELTA_BYTE_ARRAY"},
        ),
        field=["id"],
    ),
    "second_page_version": dict(write=dict(row_group_size=2000, data_page_version="2.0", compression="brotli", data_page_size=1000), field=["id"]),
    "page_index": dict(write=dict(row_group_size=2000, write_page_index=True, data_page_size=2000, max_rows_per_page=300), field=["id"]),
    "old_writer": dict(write=dict(row_group_size=2000, version="1.0", compression="lz4", use_deprecated_int96_timestamps=True, use_compliant_nested_type=False), field=["id"]),
    "no_compression_no_statistics": dict(write=dict(compression="none", write_statistics=False), field=["id"]),
    "checksums_sorted": dict(
        write=dict(row_group_size=500, write_page_checksum=True, sorting_columns=[pq.SortingColumn(0)]), kind="sorted", field=["id"], identifiers=[[0, "42"]]
    ),
    "whole_group": dict(write=dict(row_group_size=1000), kind="one group", field=["id"], identifiers=[[0, "7"]]),
    "small_dictionary": dict(write=dict(row_group_size=5000, dictionary_pagesize_limit=2000), field=["id"]),
    "nested": dict(write=dict(row_group_size=2000), field=["owner", "id"]),
    "list_of_structs": dict(write=dict(row_group_size=2000, data_page_size=700), field=["members", "id"]),
    "decimal": dict(write=dict(row_group_size=2000), field=["price"], identifiers=[[0, "0.07"], [0, "0"], [1, "0.420"]]),
    "double": dict(write=dict(row_group_size=2000), field=["ratio"]),
    "uuid": dict(write=dict(row_group_size=2000), field=["key"], identifiers=[[0, str(uuid.UUID(int=7 * 2**90 + 7))], [1, str(uuid.UUID(int=42 * 2**90 + 42))]]),
    "fixed": dict(write=dict(row_group_size=2000), field=["code"], identifiers=[[0, "007"], [1, "042"]]),
    "boolean": dict(write=dict(row_group_size=2000), field=["yes"], identifiers=[[0, "false"]]),
    "nobody": dict(write=dict(row_group_size=2000, bloom_filter_options={"id": {"ndv": 2000, "fpp": 0.01}}, write_page_index=True), field=["id"], identifiers=[[0, "999999"]]),
    "no_rows": dict(write=dict(), rows=0, field=["id"]),
}


def values_at(value, path):
    if value is None:
        return
    if isinstance(value, list):
        for element in value:
            yield from values_at(element, path)
    elif path:
        yield from values_at(value.get(path[0]), path[1:])
    else:
        yield value


def spelled(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (int, float, decimal.Decimal)):
        return "nan" if value != value else decimal.Decimal(value)
    return str(value)


def fates(made, case):
    """For each row: ('of', subject), ('shared', …) or ('stays',)."""
    wanted = {}
    for subject, identifier in case["identifiers"]:
        wanted[identifier] = subject
        try:
            wanted[decimal.Decimal(identifier)] = subject
        except decimal.InvalidOperation:
            pass
    path = case["field"]
    for value in made[path[0]].to_pylist():
        owners = {wanted.get(spelled(v)) for v in values_at(value, path[1:])}
        subjects = owners - {None}
        if not subjects:
            yield ("stays",)
        elif len(owners) == 1:
            yield ("of", subjects.pop())
        else:
            yield ("shared", sorted(subjects))


def make(folder):
    listed = []
    for seed, (name, case) in enumerate(CASES.items()):
        made = table(seed, case.get("rows", ROWS), case.get("kind", "all"))
        pq.write_table(made, f"{folder}/{name}.parquet", **case["write"])
        listed.append({"name": name, "field": case["field"], "identifiers": case.get("identifiers", ERASED)})
    with open(f"{folder}/cases.json", "w") as out:
        json.dump(listed, out)


def same(what, one, other):
    if one != other:
        raise SystemExit(f"{what}: {one!r} became {other!r}")


def chunk_about(chunk, version_free=False):
    about = {
        "path": chunk.path_in_schema,
        "type": chunk.physical_type,
        "codec": chunk.compression,
        "dictionary": chunk.has_dictionary_page,
        # The old name of the same encoding becomes the new one; PLAIN and RLE also stand for dictionary pages and levels.
        "encodings": sorted({"RLE_DICTIONARY" if e == "PLAIN_DICTIONARY" else e for e in chunk.encodings} - {"PLAIN", "RLE", "BIT_PACKED"}),
        "statistics": chunk.is_stats_set and chunk.statistics.has_min_max,
        "bloom": chunk.bloom_filter_offset is not None,
        "column index": chunk.has_column_index,
        "offset index": chunk.has_offset_index,
    }
    return about


def statistics_about(chunk):
    about = chunk.statistics
    ends = (about.min_raw, about.max_raw) if about.has_min_max else None
    return ends, about.null_count if about.has_null_count else None, about.distinct_count if about.has_distinct_count else None


def nanoseconds_of(text):
    if text is None:
        return None
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0") or 0)


def start(chunk):
    return chunk.dictionary_page_offset if chunk.has_dictionary_page and chunk.dictionary_page_offset else chunk.data_page_offset


def check(folder):
    for case in json.load(open(f"{folder}/cases.json")):
        name = case["name"]
        before_path, after_path = f"{folder}/{name}.parquet", f"{folder}/{name}.rewritten.parquet"
        before, after = pq.ParquetFile(before_path, page_checksum_verification=False), pq.ParquetFile(after_path)
        made, left = before.read(), after.read()
        told = list(fates(made, case))
        kept = [row for row, fate in enumerate(told) if fate[0] != "of"]
        expected = made.take(pa.array(kept, pa.int64()))
        left.validate(full=True)
        for column in made.column_names:
            # NaN is not itself; its text is.
            comparable = [t[column].cast(pa.string()) if column == "ratio" else t[column] for t in (expected, left)]
            if not comparable[0].equals(comparable[1]):
                raise SystemExit(f"{name}: other values of {column} are left than should be")
        same(f"{name}, schema", (before.schema_arrow, before.schema_arrow.metadata), (after.schema_arrow, after.schema_arrow.metadata))
        if not before.schema.equals(after.schema):
            raise SystemExit(f"{name}: another Parquet schema")
        b, a = before.metadata, after.metadata
        same(f"{name}, metadata", b.metadata, a.metadata)
        same(f"{name}, writer", (b.created_by, b.format_version), (a.created_by, a.format_version))
        raw_before, raw_after = open(before_path, "rb").read(), open(after_path, "rb").read()
        first, now, copied = 0, 0, 0
        for number in range(b.num_row_groups):
            group = b.row_group(number)
            rows = range(first, first + group.num_rows)
            first += group.num_rows
            gone = sum(told[row][0] == "of" for row in rows)
            if gone == group.num_rows and gone:
                continue
            new = a.row_group(now)
            now += 1
            same(f"{name}, rows of a group", group.num_rows - gone, new.num_rows)
            same(f"{name}, sorting", group.sorting_columns, new.sorting_columns)
            for column in range(group.num_columns):
                old_chunk, new_chunk = group.column(column), new.column(column)
                same(f"{name}, group {number}", chunk_about(old_chunk), chunk_about(new_chunk))
                old_bytes = raw_before[start(old_chunk) :][: old_chunk.total_compressed_size]
                new_bytes = raw_after[start(new_chunk) :][: new_chunk.total_compressed_size]
                if not gone:
                    copied += 1
                    same(f"{name}, bytes of group {number}, column {column}", old_bytes, new_bytes)
                    if old_chunk.is_stats_set:
                        same(f"{name}, statistics", statistics_about(old_chunk), statistics_about(new_chunk))
            if gone:
                for column in range(group.num_columns):
                    chunk = new.column(column)
                    if "." in chunk.path_in_schema or not (chunk.is_stats_set and chunk.statistics.has_min_max):
                        continue
                    values = after.read_row_group(now - 1, columns=[chunk.path_in_schema])[0]
                    if chunk.statistics.has_null_count:
                        same(f"{name}, nulls of {chunk.path_in_schema}", values.null_count, chunk.statistics.null_count)
                    if pa.types.is_floating(values.type):
                        values = values.filter(pc.invert(pc.is_nan(values)))
                    if pa.types.is_integer(values.type) or pa.types.is_string(values.type) or pa.types.is_floating(values.type):
                        ends = pc.min_max(values) if not pa.types.is_string(values.type) else {"min": pc.min(values), "max": pc.max(values)}
                        same(f"{name}, smallest of {chunk.path_in_schema}", ends["min"].as_py(), chunk.statistics.min)
                        same(f"{name}, largest of {chunk.path_in_schema}", ends["max"].as_py(), chunk.statistics.max)
        same(f"{name}, row groups", now, a.num_row_groups)
        # Found rows, as JSON, say what the foreign reader says.
        found = [json.loads(line, parse_float=str, parse_int=str) for line in open(f"{folder}/{name}.found.jsonl")]
        named = [row for row, fate in enumerate(told) if fate[0] != "stays"]
        same(f"{name}, rows found", len(named), len(found))
        rows_named = made.take(pa.array(named, pa.int64()))
        nanoseconds = rows_named["instant"].cast(pa.int64()).to_pylist()
        same(f"{name}, found instants", nanoseconds, [nanoseconds_of(line["instant"]) for line in found])
        for row, line in zip(rows_named.drop_columns(["instant"]).to_pylist(), found):
            for key in ("id", "uid", "email", "note", "tags", "deep", "members", "yes", "nothing", "owner"):
                want = json.loads(json.dumps(row[key]), parse_float=str, parse_int=str)
                same(f"{name}, found {key}", want, line[key])
            same(f"{name}, found price", None if row["price"] is None else str(row["price"]), line["price"])
            same(f"{name}, found day", None if row["day"] is None else str(row["day"]), line["day"])
            same(f"{name}, found props", None if row["props"] is None else [list(pair) for pair in row["props"]], line["props"] and [[pair["key"], pair["value"]] for pair in line["props"]])
            if row["time"] is not None:
                same(f"{name}, found time", row["time"].isoformat(), line["time"] + ("" if row["time"].microsecond == 0 or len(line["time"]) == 26 else "0" * (26 - len(line["time"]))))
        print(f"{name}: {len(told) - len(kept)} of {len(told)} rows gone, {copied} column chunks copied as bytes")


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](sys.argv[2])
