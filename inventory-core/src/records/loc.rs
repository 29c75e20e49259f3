//! Geographic locations (RFC 1876).
//!
//! `DEGREES [MINUTES [SECONDS]] N|S DEGREES [MINUTES [SECONDS]] E|W ALTITUDE [SIZE [HORIZONTAL
//! [VERTICAL]]]`, lengths in metres. All arithmetic is in thousandths: of arc seconds, and of metres.

use std::fmt::Write;

use super::fields::{Fields, Wrong};
use super::lex::Word;
use super::present::Shown;

/// Appends the wire form of the location that the words describe.
pub(super) fn read(fields: &mut Fields<'_, '_>, wire: &mut Vec<u8>) -> Result<(), Wrong> {
    let latitude = angle(fields, 90, ["N", "S"], "latitude")?;
    let longitude = angle(fields, 180, ["E", "W"], "longitude")?;
    let (word, altitude) = metres(fields, "altitude")?;
    // Centimetres above 100 km below the reference spheroid.
    let altitude = u32::try_from(altitude.div_euclid(10) + 10_000_000).ok();
    let Some(altitude) = altitude else {
        return fields.wrong(word.at, "the altitude lies outside -100000.00m to 42849672.95m");
    };
    let size = precision(fields, "size", SIZE_DEFAULT)?;
    let horizontal = precision(fields, "horizontal precision", HORIZONTAL_DEFAULT)?;
    let vertical = precision(fields, "vertical precision", VERTICAL_DEFAULT)?;
    wire.extend_from_slice(&[0, size, horizontal, vertical]);
    for number in [latitude, longitude, altitude] {
        wire.extend_from_slice(&number.to_be_bytes());
    }
    Ok(())
}

/// 1 m, 10 km and 10 m: digit and power of ten of centimetres.
const SIZE_DEFAULT: u8 = 0x12;
const HORIZONTAL_DEFAULT: u8 = 0x16;
const VERTICAL_DEFAULT: u8 = 0x13;

/// Thousandths of arc seconds, counted from 2^31 at the equator and the prime meridian.
fn angle(fields: &mut Fields<'_, '_>, degrees_max: i64, ends: [&str; 2], what: &str) -> Result<u32, Wrong> {
    let mut parts = [0_i64; 3];
    let mut count = 0;
    loop {
        let Ok(word) = fields.next() else {
            return missing(fields, what);
        };
        let text = fields.text_of(&word);
        let sign = match ends.iter().position(|end| text.eq_ignore_ascii_case(end)) {
            Some(0) => 1,
            Some(_) => -1,
            None => {
                let part = thousandths(text, if count == 2 { 3 } else { 0 }).filter(|n| *n >= 0);
                let (Some(part), Some(slot)) = (part, parts.get_mut(count)) else {
                    let message = format!("`{}` does not fit into the {what}", fields.shown(word.at));
                    let help = format!(
                        "write degrees, minutes and seconds up to the thousandth, then `{}` or `{}`",
                        ends[0], ends[1]
                    );
                    return fields.wrong_help(word.at, message, help);
                };
                *slot = part;
                count += 1;
                continue;
            }
        };
        let [degrees, minutes, seconds] = parts;
        let total =
            degrees.saturating_mul(3_600).saturating_add(minutes.saturating_mul(60)).saturating_add(seconds);
        let fits = minutes < 60_000 && seconds < 60_000 && total <= degrees_max * 3_600_000;
        if count == 0 || !fits {
            return fields.wrong(
                word.at,
                format!("the {what} in front of this is not between 0 and {degrees_max} degrees"),
            );
        }
        return Ok(u32::try_from(0x8000_0000 + sign * total).unwrap_or(0x8000_0000));
    }
}

/// A length in thousandths of a metre, with the word that says it.
fn metres(fields: &mut Fields<'_, '_>, what: &str) -> Result<(Word, i64), Wrong> {
    let Ok(word) = fields.next() else {
        return missing(fields, what);
    };
    let text = fields.text_of(&word);
    let number = text.strip_suffix(['m', 'M']).unwrap_or(text);
    match thousandths(number, 2) {
        Some(length) => Ok((word, length)),
        None => {
            let message = format!(
                "`{}` is no {what}: metres up to the hundredth, such as `2.50m`",
                fields.shown(word.at)
            );
            fields.wrong(word.at, message)
        }
    }
}

/// A size as one digit and a power of ten of centimetres.
fn precision(fields: &mut Fields<'_, '_>, what: &str, default: u8) -> Result<u8, Wrong> {
    if fields.words.is_empty() {
        return Ok(default);
    }
    let (word, length) = metres(fields, what)?;
    let mut digit = length / 10;
    let mut power = 0;
    while digit > 9 {
        digit /= 10;
        power += 1;
    }
    match u8::try_from(digit) {
        Ok(digit) if length >= 0 && power <= 9 => Ok(digit << 4 | power),
        _ => fields.wrong(word.at, format!("the {what} lies outside 0.00m to 90000000.00m")),
    }
}

/// Reads a decimal number with up to `places` digits behind the point, as thousandths.
fn thousandths(text: &str, places: usize) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || part.len() > places || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let part: i64 = format!("{part:0<3}").parse().ok()?;
    let value = whole.parse::<i64>().ok()? * 1_000 + part;
    Some(if negative { -value } else { value })
}

fn missing<T>(fields: &mut Fields<'_, '_>, what: &str) -> Result<T, Wrong> {
    fields.wrong(fields.before, format!("this LOC record ends before the end of its {what}"))
}

/// Appends the text of a location; returns what follows it, `None` if it cannot be written.
pub(super) fn show<'w>(wire: &'w [u8], text: &mut String) -> Shown<'w> {
    let Some((octets, rest)) = wire.split_first_chunk::<16>() else { return Ok(None) };
    let &[version, size, horizontal, vertical, ..] = octets;
    let mut numbers =
        octets.as_chunks::<4>().0.iter().skip(1).map(|octets| i64::from(u32::from_be_bytes(*octets)));
    let (Some(latitude), Some(longitude), Some(altitude)) = (numbers.next(), numbers.next(), numbers.next())
    else {
        return Ok(None);
    };
    let precisions = [size, horizontal, vertical].map(centimetres);
    let [Some(size), Some(horizontal), Some(vertical)] = precisions else { return Ok(None) };
    for (angle, degrees_max, ends) in [(latitude, 90, ["N", "S"]), (longitude, 180, ["E", "W"])] {
        let angle = angle - 0x8000_0000;
        let parts = angle.abs();
        if version != 0 || parts > degrees_max * 3_600_000 {
            return Ok(None);
        }
        let (degrees, minutes, seconds) = (parts / 3_600_000, parts / 60_000 % 60, parts % 60_000);
        let end = ends[usize::from(angle < 0)];
        write!(text, "{degrees} {minutes} {}.{:03} {end} ", seconds / 1_000, seconds % 1_000)?;
    }
    let altitude = altitude - 10_000_000;
    let sign = if altitude < 0 { "-" } else { "" };
    for (sign, length) in [(sign, altitude.abs()), ("", size), ("", horizontal), ("", vertical)] {
        write!(text, "{sign}{}.{:02}m ", length / 100, length % 100)?;
    }
    text.truncate(text.trim_end_matches(' ').len());
    Ok(Some(rest))
}

/// The centimetres of a digit and a power of ten; `None` for what no text says.
fn centimetres(precision: u8) -> Option<i64> {
    let (digit, power) = (i64::from(precision >> 4), u32::from(precision & 15));
    (digit <= 9 && power <= 9 && (digit > 0 || power == 0)).then(|| digit * 10_i64.pow(power))
}
