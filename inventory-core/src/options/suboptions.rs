//! Options that hold options of their own, numbered by a vendor.

use super::encode::Encoder;
use super::octets;
use crate::toml::{Entry, Kind, Table, Value};

/// Octets, or a table of suboptions (RFC 2132, section 8.4).
pub(super) fn encapsulated(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    match value.kind() {
        Kind::Table(table) => suboptions8(encoder, table, value),
        _ => octets::read(encoder, value),
    }
}

/// Octets, or suboptions by enterprise number (RFC 3925, section 4).
pub(super) fn vendor4(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    let Kind::Table(table) = value.kind() else {
        return octets::read(encoder, value);
    };
    let vendors = enterprises(encoder, table, value, |encoder, entry, table| {
        let data = suboptions8(encoder, table, entry.value())?;
        match u8::try_from(data.len()) {
            Ok(length) => Some([&[length], data.as_slice()].concat()),
            Err(_) => {
                let message =
                    format!("the suboptions of one enterprise have {} octets; 255 is the most", data.len());
                encoder.refuse(entry.key_span(), message)
            }
        }
    })?;
    Some(vendors.concat())
}

/// Octets, or suboptions by enterprise number, an option each (RFC 8415, section 21.17).
pub(super) fn vendor6(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<Vec<u8>>> {
    let Kind::Table(table) = value.kind() else {
        return octets::read(encoder, value).map(|data| vec![data]);
    };
    enterprises(encoder, table, value, |encoder, entry, table| {
        let list = numbered(encoder, table, entry.value(), u16::MAX.into())?;
        let mut wire = Vec::new();
        for (number, data, entry) in list {
            let (Ok(number), Ok(length)) = (u16::try_from(number), u16::try_from(data.len())) else {
                return encoder.refuse(entry.value().span(), "a suboption has up to 65535 octets".to_owned());
            };
            wire.extend_from_slice(&number.to_be_bytes());
            wire.extend_from_slice(&length.to_be_bytes());
            wire.extend_from_slice(&data);
        }
        Some(wire)
    })
}

/// Each enterprise number with the suboptions below it.
fn enterprises<'a, 't>(
    encoder: &mut Encoder<'_>,
    table: Table<'a, 't>,
    value: Value<'a, 't>,
    mut read: impl FnMut(&mut Encoder<'_>, Entry<'a, 't>, Table<'a, 't>) -> Option<Vec<u8>>,
) -> Option<Vec<Vec<u8>>> {
    let mut vendors = Some(Vec::new());
    for entry in table.entries() {
        let number = number(encoder, entry, u32::MAX, "an enterprise number");
        let data = match entry.value().kind() {
            Kind::Table(table) => read(encoder, entry, table),
            _ => {
                let message = format!("option `{}` takes a table of suboptions here", encoder.name());
                encoder.refuse(entry.value().span(), message)
            }
        };
        vendors = vendors.zip(number.zip(data)).map(|(mut vendors, (number, data))| {
            vendors.push((number, [&number.to_be_bytes(), data.as_slice()].concat()));
            vendors
        });
    }
    let mut vendors = not_empty(encoder, vendors, value)?;
    vendors.sort_by_key(|(number, _)| *number);
    Some(vendors.into_iter().map(|(_, data)| data).collect())
}

/// Suboptions with 8 bits of number and length.
fn suboptions8(encoder: &mut Encoder<'_>, table: Table<'_, '_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    let list = numbered(encoder, table, value, 254)?;
    let mut wire = Vec::new();
    for (number, data, entry) in list {
        let (Ok(number), Ok(length)) = (u8::try_from(number), u8::try_from(data.len())) else {
            let message = format!("suboption {number} has {} octets; 255 is the most", data.len());
            return encoder.refuse(entry.value().span(), message);
        };
        wire.extend_from_slice(&[number, length]);
        wire.extend_from_slice(&data);
    }
    Some(wire)
}

/// A suboption's number, its data, and where it is written.
type SubOption<'a, 't> = (u32, Vec<u8>, Entry<'a, 't>);

/// Numbers with their octets, by number.
fn numbered<'a, 't>(
    encoder: &mut Encoder<'_>,
    table: Table<'a, 't>,
    value: Value<'a, 't>,
    max: u32,
) -> Option<Vec<SubOption<'a, 't>>> {
    let mut list = Some(Vec::new());
    for entry in table.entries() {
        let number = number(encoder, entry, max, "a suboption's number");
        let data = octets::read(encoder, entry.value());
        list = list.zip(number.zip(data)).map(|(mut list, (number, data))| {
            list.push((number, data, entry));
            list
        });
    }
    let mut list = not_empty(encoder, list, value)?;
    list.sort_by_key(|(number, ..)| *number);
    Some(list)
}

fn not_empty<T>(encoder: &mut Encoder<'_>, list: Option<Vec<T>>, value: Value<'_, '_>) -> Option<Vec<T>> {
    match list {
        Some(list) if list.is_empty() => {
            let message = format!("option `{}` has an empty table", encoder.name());
            encoder.refuse(value.span(), message)
        }
        list => list,
    }
}

/// The key of `entry`, a number from 1 to `max`.
fn number(encoder: &mut Encoder<'_>, entry: Entry<'_, '_>, max: u32, what: &str) -> Option<u32> {
    let number = super::number(entry.key()).and_then(|number| u32::try_from(number).ok());
    match number.filter(|number| (1..=max).contains(number)) {
        Some(number) => Some(number),
        None => {
            let message = format!("`{}` is not {what}: 1 to {max}", super::encode::cut(entry.key()));
            encoder.refuse(entry.key_span(), message)
        }
    }
}
