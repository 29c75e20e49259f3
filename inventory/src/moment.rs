//! Moments, as operators write and read them.
//!
//! What local time was is known to `date`, which every system has; a moment that says its zone needs nobody.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use inventory_core::units::parse_duration;

const FORMS: &str =
    "write `2026-11-01T12:00`, local time, or with `Z` or `+02:00`; `2h`: so long ago; or `@` and seconds";

/// Seconds since 1970 now.
pub(crate) fn now() -> i64 {
    now_ms().div_euclid(1000)
}

/// Thousandths of seconds since 1970 now.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The moment that `text` means, in seconds since 1970.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().map_err(|_| FORMS.to_owned());
    }
    if let Ok(ago) = parse_duration(text) {
        return Ok(now().saturating_sub_unsigned(ago));
    }
    let (plain, zone) = zone(text).ok_or(FORMS)?;
    let parts = parts(plain).ok_or(FORMS)?;
    match zone {
        Some(east) => Ok(utc(parts) - east),
        None => {
            let [year, month, day, hour, minute, second] = parts;
            local(&format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"))
        }
    }
}

/// A moment as the clock on the wall has it, with its distance from UTC.
pub(crate) fn show(seconds: i64) -> String {
    let date = ask_date(&["--date", &format!("@{seconds}"), "+%Y-%m-%d %H:%M:%S %z"]);
    date.unwrap_or_else(|_| format!("@{seconds}"))
}

fn local(plain: &str) -> Result<i64, String> {
    let seconds = ask_date(&["--date", plain, "+%s"])?;
    seconds.parse().map_err(|_| format!("`date` says `{seconds}`"))
}

fn ask_date(args: &[&str]) -> Result<String, String> {
    let answer = Command::new("date").args(args).env("LC_ALL", "C").output();
    let answer = answer.map_err(|error| format!("`date` cannot be run: {error}"))?;
    if !answer.status.success() {
        return Err(String::from_utf8_lossy(&answer.stderr).trim().to_owned());
    }
    Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}

/// Cuts off the zone: how many seconds east of UTC it is, `None` where it is not written.
fn zone(text: &str) -> Option<(&str, Option<i64>)> {
    if let Some(plain) = text.strip_suffix(['Z', 'z']) {
        return Some((plain, Some(0)));
    }
    // Behind the date, whose parts have signs between them.
    let Some(at) = text.char_indices().skip(10).find(|(_, c)| matches!(c, '+' | '-')).map(|(at, _)| at)
    else {
        return Some((text, None));
    };
    let (plain, zone) = text.split_at(at);
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = (digits.get(..2)?.parse::<i64>().ok()?, digits.get(2..4).unwrap_or("0"));
    let east = hours * 3600 + minutes.parse::<i64>().ok()? * 60;
    Some((plain.trim_end(), Some(if zone.starts_with('-') { -east } else { east })))
}

/// Year, month, day, hour, minute, second; the time may be missing or without seconds.
fn parts(plain: &str) -> Option<[i64; 6]> {
    let (date, time) = plain.split_once(['T', 't', ' ']).unwrap_or((plain, "00:00"));
    let numbers = |text: &str, by| text.split(by).map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>();
    let (date, mut time) = (numbers(date, '-')?, numbers(time, ':')?);
    if time.len() == 2 {
        time.push(0);
    }
    let (&[year, month, day], &[hour, minute, second]) = (&date[..], &time[..]) else { return None };
    let is_one = (1970..10_000).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    is_one.then_some([year, month, day, hour, minute, second])
}

/// Days of a month of the Gregorian calendar.
fn days_of(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Seconds since 1970 of a moment in UTC. Days are counted from March, so that the leap day comes last.
fn utc([year, month, day, hour, minute, second]: [i64; 6]) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    (days - 719_468) * 86_400 + hour * 3600 + minute * 60 + second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_that_say_their_zone_are_what_date_says() {
        for (text, seconds) in [
            ("1970-01-01T00:00Z", 0),
            ("2000-02-29T12:00:30Z", 951_825_630),
            ("2026-11-01T12:00Z", 1_793_534_400),
            ("2026-11-01 14:00+02:00", 1_793_534_400),
            ("2026-11-01T05:30:00-0630", 1_793_534_400),
            ("@1793534400", 1_793_534_400),
        ] {
            assert_eq!(parse(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn a_moment_without_a_zone_is_local_and_is_shown_as_it_was_written() {
        for text in ["2026-11-01T12:00", "2026-07-01 23:59:59", "2026-01-01"] {
            let shown = show(parse(text).unwrap());
            let wanted = text.replace('T', " ");
            assert!(shown.starts_with(&wanted), "{text}: {shown}");
        }
    }

    #[test]
    fn a_time_ago_counts_back_and_nonsense_is_refused() {
        let ago = now() - parse("2h").unwrap();
        assert!((7200..7260).contains(&ago), "{ago}");
        for text in [
            "",
            "yesterday",
            "12:00",
            "2026-13-01",
            "2026-02-30",
            "2026-02-29T00:00Z",
            "2026-02-30T00:00Z",
            "2100-02-29T00:00Z",
            "2026-04-31T00:00+02:00",
            "2026-11-01T25:00",
            "@x",
            "2026-11-01T12:00+x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
