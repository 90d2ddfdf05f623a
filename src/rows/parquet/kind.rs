//! What the values of a column mean, from its physical type and both generations of annotations.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::schema::types::ColumnDescriptor;

/// The meaning of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Signed,
    Unsigned,
    /// With so many digits behind the point.
    Decimal(i32),
    Float,
    Float16,
    Text,
    Bytes,
    Uuid,
    Date,
    Time(TimeUnit),
    /// An instant.
    Timestamp(TimeUnit),
    /// A timestamp without zone.
    LocalTimestamp(TimeUnit),
    /// The old timestamp of 12 bytes, without zone.
    Int96,
    Interval,
}

impl Kind {
    pub(super) fn of(column: &ColumnDescriptor) -> Kind {
        match column.logical_type_ref() {
            Some(logical) => Kind::of_logical(column, logical),
            None => Kind::of_converted(column),
        }
    }

    fn of_logical(column: &ColumnDescriptor, logical: &LogicalType) -> Kind {
        match logical {
            LogicalType::String | LogicalType::Enum | LogicalType::Json => Kind::Text,
            LogicalType::Integer(integer) if !integer.is_signed => Kind::Unsigned,
            LogicalType::Decimal(decimal) => Kind::Decimal(decimal.scale),
            LogicalType::Date => Kind::Date,
            LogicalType::Time(time) => Kind::Time(time.unit),
            LogicalType::Timestamp(stamp) if stamp.is_adjusted_to_u_t_c => Kind::Timestamp(stamp.unit),
            LogicalType::Timestamp(stamp) => Kind::LocalTimestamp(stamp.unit),
            LogicalType::Uuid if column.type_length() == 16 => Kind::Uuid,
            LogicalType::Float16 if column.type_length() == 2 => Kind::Float16,
            _ => Kind::of_physical(column.physical_type()),
        }
    }

    fn of_converted(column: &ColumnDescriptor) -> Kind {
        match column.converted_type() {
            ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Kind::Text,
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => Kind::Unsigned,
            ConvertedType::DECIMAL => Kind::Decimal(column.type_scale()),
            ConvertedType::DATE => Kind::Date,
            ConvertedType::TIME_MILLIS => Kind::Time(TimeUnit::MILLIS),
            ConvertedType::TIME_MICROS => Kind::Time(TimeUnit::MICROS),
            ConvertedType::TIMESTAMP_MILLIS => Kind::Timestamp(TimeUnit::MILLIS),
            ConvertedType::TIMESTAMP_MICROS => Kind::Timestamp(TimeUnit::MICROS),
            ConvertedType::INTERVAL if column.type_length() == 12 => Kind::Interval,
            _ => Kind::of_physical(column.physical_type()),
        }
    }

    fn of_physical(physical: Type) -> Kind {
        match physical {
            Type::BOOLEAN => Kind::Boolean,
            Type::INT32 | Type::INT64 => Kind::Signed,
            Type::INT96 => Kind::Int96,
            Type::FLOAT | Type::DOUBLE => Kind::Float,
            Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => Kind::Bytes,
        }
    }

    /// Whether identifiers can be of this kind.
    pub(super) fn is_comparable(self) -> bool {
        matches!(
            self,
            Kind::Boolean | Kind::Signed | Kind::Unsigned | Kind::Decimal(_) | Kind::Float | Kind::Text | Kind::Bytes | Kind::Uuid
        )
    }
}

/// A whole number out of big-endian two's complement, as decimals are stored; `None` when it is wider than 16 bytes.
pub(super) fn unscaled(bytes: &[u8]) -> Option<i128> {
    if bytes.len() > 16 {
        return None;
    }
    let filler = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    let mut wide = [filler; 16];
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    Some(i128::from_be_bytes(wide))
}

/// A UUID in lower case with hyphens.
pub(super) fn uuid_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
