//! Times to live: whole seconds, or numbers with the units that BIND made customary (`1h30m`).

/// Longest time to live, in seconds (RFC 2181, section 8).
pub(super) const TTL_MAX: u32 = 0x7fff_ffff;

/// Why a text is no time to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TtlError {
    /// Not digits, nor digits with units.
    Malformed,
    /// More than [`TTL_MAX`] seconds.
    TooLong,
}

/// The seconds that `text` says.
pub(super) fn parse(text: &str) -> Result<u32, TtlError> {
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    let mut units = false;
    for byte in text.bytes() {
        if byte.is_ascii_digit() {
            let digit = u64::from(byte - b'0');
            number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit));
        } else {
            let seconds = unit_seconds(byte).ok_or(TtlError::Malformed)?;
            let count = number.take().ok_or(TtlError::Malformed)?;
            total = total.saturating_add(count.saturating_mul(seconds));
            units = true;
        }
    }
    match number {
        Some(_) if units => return Err(TtlError::Malformed),
        Some(seconds) => total = seconds,
        None if units => {}
        None => return Err(TtlError::Malformed),
    }
    u32::try_from(total).ok().filter(|seconds| *seconds <= TTL_MAX).ok_or(TtlError::TooLong)
}

/// How many seconds a unit has.
fn unit_seconds(unit: u8) -> Option<u64> {
    match unit.to_ascii_lowercase() {
        b's' => Some(1),
        b'm' => Some(60),
        b'h' => Some(3_600),
        b'd' => Some(86_400),
        b'w' => Some(604_800),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_units_are_read() {
        for (text, seconds) in [
            ("0", 0),
            ("3600", 3_600),
            ("1h30m", 5_400),
            ("1H30M", 5_400),
            ("2w1d", 1_296_000),
            ("90s", 90),
            ("2147483647", TTL_MAX),
        ] {
            assert_eq!(parse(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "h", "1h30", "1x", "-1", "1 h", "1.5h", "10.0.0.1", "１"] {
            assert_eq!(parse(text), Err(TtlError::Malformed), "{text}");
        }
        for text in ["2147483648", "4294967296", "99999999999999999999999", "3551w"] {
            assert_eq!(parse(text), Err(TtlError::TooLong), "{text}");
        }
    }
}
