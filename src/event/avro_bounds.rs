//! Which writers' schemas are safe to decode with.
//!
//! A schema comes from a registry that many write to, and a few bytes of some schemas become
//! gigabytes: lists of things that take no bytes, types that hold each other in numbers, sizes of
//! fixed fields, types that hold themselves. Those are refused before a byte is decoded.

use std::collections::HashMap;

use apache_avro::Schema;
use apache_avro::schema::Name;

use super::RECEIVED_BYTES_MAX;

/// A record may have so many values that are always there, whatever their bytes.
const VALUES_MAX: u64 = 4_096;
/// A value in a list may have so many more for each byte it takes.
const VALUES_PER_BYTE_MAX: u64 = 8;

/// What decoding one value of a schema takes at least.
#[derive(Clone, Copy)]
struct Size {
    bytes: u64,
    values: u64,
}

impl Size {
    const fn of(bytes: u64) -> Self {
        Self { bytes, values: 1 }
    }
}

/// Refuses a schema that is not safe.
pub(super) fn check(schema: &Schema) -> Result<(), &'static str> {
    let size = Walk::default().size(schema)?;
    if size.values > VALUES_MAX { Err("has too many values in a record") } else { Ok(()) }
}

/// The named types on the way: those that are done, and `None` for those that are not.
#[derive(Default)]
struct Walk(HashMap<Name, Option<Size>>);

impl Walk {
    fn size(&mut self, schema: &Schema) -> Result<Size, &'static str> {
        Ok(match schema {
            Schema::Null => Size::of(0),
            Schema::Record(record) => {
                self.0.insert(record.name.clone(), None);
                let mut size = Size::of(0);
                for field in &record.fields {
                    let inner = self.size(&field.schema)?;
                    size.bytes = size.bytes.saturating_add(inner.bytes);
                    size.values = size.values.saturating_add(inner.values);
                }
                self.0.insert(record.name.clone(), Some(size));
                size
            }
            Schema::Ref { name } => match self.0.get(name) {
                Some(Some(size)) => *size,
                Some(None) => return Err("has a type that holds itself"),
                // A logical type over a fixed one.
                None => Size::of(1),
            },
            Schema::Array(list) => self.list(&list.items, 0)?,
            // Each entry has a key.
            Schema::Map(map) => self.list(&map.types, 1)?,
            Schema::Union(union) => {
                let mut values = 0;
                for variant in union.variants() {
                    values = values.max(self.size(variant)?.values);
                }
                Size { bytes: 1, values: values.saturating_add(1) }
            }
            Schema::Fixed(fixed) => {
                if fixed.size > RECEIVED_BYTES_MAX {
                    return Err("has a fixed field that is larger than an event may be");
                }
                self.0.insert(fixed.name.clone(), Some(Size::of(fixed.size as u64)));
                Size::of(fixed.size as u64)
            }
            Schema::Enum(symbols) => {
                self.0.insert(symbols.name.clone(), Some(Size::of(1)));
                Size::of(1)
            }
            _ => Size::of(1),
        })
    }

    fn list(&mut self, item: &Schema, key_bytes: u64) -> Result<Size, &'static str> {
        let item = self.size(item)?;
        let bytes = item.bytes.saturating_add(key_bytes);
        if item.values > bytes.saturating_mul(VALUES_PER_BYTE_MAX) {
            return Err("has a list of values that take hardly any bytes");
        }
        Ok(Size::of(1))
    }
}
