//! Durations and sizes as people write them. The unit is required: `3600` of what?

use std::fmt;

/// Why a text is no duration or size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitError {
    /// There is no number where one must be.
    NoNumber,
    /// A number without its unit.
    NoUnit,
    /// Something like `1.5`.
    Fraction,
    /// A unit that is none of those known.
    UnknownUnit,
    /// The value does not fit.
    TooLarge,
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UnitError::NoNumber => "has no number where one must be",
            UnitError::NoUnit => "has no unit",
            UnitError::Fraction => "is a fraction: write a whole number of the next smaller unit",
            UnitError::UnknownUnit => "has an unknown unit",
            UnitError::TooLarge => "is too large",
        })
    }
}

/// Seconds of a duration: `90s 5m 12h 7d 2w`, combined as in `1h30m`.
///
/// # Errors
/// The text is no duration, or does not fit 64 bits.
pub fn parse_duration(text: &str) -> Result<u64, UnitError> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    loop {
        let (number, unit, tail) = split_term(rest)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            "" => return Err(UnitError::NoUnit),
            _ => return Err(UnitError::UnknownUnit),
        };
        let term = number.checked_mul(seconds).ok_or(UnitError::TooLarge)?;
        total = total.checked_add(term).ok_or(UnitError::TooLarge)?;
        if tail.is_empty() {
            return Ok(total);
        }
        rest = tail;
    }
}

/// Octets of a size: `512 MiB`, `8GiB`; binary units only, a blank between is allowed.
///
/// # Errors
/// The text is no size, or does not fit 64 bits.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let (number, unit, tail) = split_term(text.trim())?;
    let factor: u64 = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "" => return Err(UnitError::NoUnit),
        _ => return Err(UnitError::UnknownUnit),
    };
    if !tail.is_empty() {
        return Err(UnitError::UnknownUnit);
    }
    number.checked_mul(factor).ok_or(UnitError::TooLarge)
}

/// Number, unit and what follows.
fn split_term(text: &str) -> Result<(u64, &str, &str), UnitError> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if digits == 0 {
        return Err(UnitError::NoNumber);
    }
    let number = text[..digits].parse().map_err(|_| UnitError::TooLarge)?;
    let rest = text[digits..].trim_start();
    if rest.starts_with(['.', ',']) {
        return Err(UnitError::Fraction);
    }
    let unit = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    Ok((number, &rest[..unit], rest[unit..].trim_start()))
}

/// `seconds` as people write it: `1d12h`, `90s`.
pub fn show_duration(mut seconds: u64) -> String {
    let mut text = String::new();
    for (unit, size) in [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if seconds >= size {
            text.push_str(&format!("{}{unit}", seconds / size));
            seconds %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// `octets` in the largest binary unit that leaves a whole number.
pub fn show_size(octets: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let fitting = units.iter().find(|(_, shift)| octets > 0 && octets.trailing_zeros() >= *shift);
    fitting.map_or_else(|| format!("{octets} B"), |(unit, shift)| format!("{} {unit}", octets >> shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_combine_and_need_their_unit() {
        assert_eq!(parse_duration("1h30m"), Ok(5_400));
        assert_eq!(parse_duration("2w 1d"), Ok(15 * 86_400));
        assert_eq!(parse_duration("3600"), Err(UnitError::NoUnit));
        assert_eq!(parse_duration("1y"), Err(UnitError::UnknownUnit));
        assert_eq!(parse_duration("h"), Err(UnitError::NoNumber));
        assert_eq!(parse_duration(""), Err(UnitError::NoNumber));
        assert_eq!(parse_duration("99999999999999999999w"), Err(UnitError::TooLarge));
        assert_eq!(parse_duration("1h-1m"), Err(UnitError::NoNumber));
        assert_eq!(parse_duration("1.5h"), Err(UnitError::Fraction));
    }

    #[test]
    fn sizes_are_binary_and_need_their_unit() {
        assert_eq!(parse_size("8 GiB"), Ok(8 << 30));
        assert_eq!(parse_size("512MiB"), Ok(512 << 20));
        assert_eq!(parse_size("8 GB"), Err(UnitError::UnknownUnit));
        assert_eq!(parse_size("8"), Err(UnitError::NoUnit));
        assert_eq!(parse_size("8 GiB 2"), Err(UnitError::UnknownUnit));
        assert_eq!(parse_size("99999999999 TiB"), Err(UnitError::TooLarge));
    }

    #[test]
    fn what_is_shown_reads_back() {
        for seconds in [0, 1, 90, 5_400, 604_800, 1_000_000] {
            assert_eq!(parse_duration(&show_duration(seconds)), Ok(seconds));
        }
        assert_eq!(show_size(8 << 30), "8 GiB");
        assert_eq!(show_size(1536 << 20), "1536 MiB");
    }
}
