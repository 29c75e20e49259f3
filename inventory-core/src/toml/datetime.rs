//! Whether a word is a date or time (RFC 3339; TOML 1.1 makes the seconds optional).

/// Whether `text` is an offset date-time, local date-time, local date or local time.
pub(super) fn is_datetime(text: &str) -> bool {
    let mut rest = text.as_bytes();
    if !date(&mut rest) {
        return time(&mut rest) && rest.is_empty();
    }
    if rest.is_empty() {
        return true;
    }
    let parted = eat(&mut rest, b"Tt ");
    parted && time(&mut rest) && offset(&mut rest) && rest.is_empty()
}

/// Whether `text` is a date alone, which a time may follow after a space.
pub(super) fn is_date(text: &str) -> bool {
    let mut rest = text.as_bytes();
    date(&mut rest) && rest.is_empty()
}

fn date(rest: &mut &[u8]) -> bool {
    let mut at = *rest;
    let Some(year) = digits(&mut at, 4) else { return false };
    let month = if eat(&mut at, b"-") { digits(&mut at, 2) } else { None };
    let day = if eat(&mut at, b"-") { digits(&mut at, 2) } else { None };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        Some(2) => 28 + u32::from(leap),
        Some(4 | 6 | 9 | 11) => 30,
        Some(1..=12) => 31,
        _ => return false,
    };
    let fits = day.is_some_and(|day| (1..=last).contains(&day));
    if fits {
        *rest = at;
    }
    fits
}

fn time(rest: &mut &[u8]) -> bool {
    if !hour_and_minute(rest) {
        return false;
    }
    if !eat(rest, b":") {
        return true;
    }
    if digits(rest, 2).is_none_or(|second| second > 60) {
        return false;
    }
    if !eat(rest, b".") {
        return true;
    }
    let fraction = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    *rest = &rest[fraction..];
    fraction > 0
}

/// An offset from UTC, or nothing.
fn offset(rest: &mut &[u8]) -> bool {
    if eat(rest, b"Zz") || !eat(rest, b"+-") {
        return true;
    }
    hour_and_minute(rest)
}

fn hour_and_minute(rest: &mut &[u8]) -> bool {
    digits(rest, 2).is_some_and(|hour| hour <= 23)
        && eat(rest, b":")
        && digits(rest, 2).is_some_and(|minute| minute <= 59)
}

fn eat(rest: &mut &[u8], one_of: &[u8]) -> bool {
    match rest.split_first() {
        Some((first, tail)) if one_of.contains(first) => {
            *rest = tail;
            true
        }
        _ => false,
    }
}

/// The number that exactly `count` digits make.
fn digits(rest: &mut &[u8], count: usize) -> Option<u32> {
    let (number, tail) = rest.split_at_checked(count)?;
    if !number.iter().all(u8::is_ascii_digit) || tail.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    *rest = tail;
    Some(number.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_told_from_what_looks_like_them() {
        for good in [
            "1979-05-27",
            "2024-02-29",
            "07:32",
            "07:32:60",
            "07:32:00.999999",
            "1979-05-27T07:32:00Z",
            "1979-05-27 07:32:00z",
            "1979-05-27t00:32:00.9-07:00",
            "1979-05-27T07:32",
        ] {
            assert!(is_datetime(good), "{good}");
        }
        for bad in [
            "1979-5-27",
            "2023-02-29",
            "1979-13-01",
            "1979-04-31",
            "1979-05-27T",
            "24:00",
            "07:60",
            "7:32",
            "07:32:61",
            "07:32:00.",
            "07:32Z",
            "1979-05-27T07:32:00+7:00",
            "1979-05-27T07:32:00+24:00",
            "52:54:00:aa:00:11",
            "10.20.0.11",
            "19790527",
            "",
            "1979-05-27T07:32:00ZZ",
        ] {
            assert!(!is_datetime(bad), "{bad}");
        }
    }
}
