//! Values that only DNSSEC and rarer types have.

use super::codec::{self, CodecError};
use super::fields::{Fields, Rdata, Wrong};
use super::report::shown;
use super::{RecordType, shape};

impl Fields<'_, '_> {
    pub(super) fn record_type(&mut self) -> Result<RecordType, Wrong> {
        let word = self.next()?;
        match RecordType::from_mnemonic(self.text_of(&word)) {
            Some(rtype) => Ok(rtype),
            None => self.wrong(word.at, format!("`{}` is no record type", self.shown(word.at))),
        }
    }

    /// Reads record types into a bitmap.
    pub(super) fn types(&mut self, out: &mut Rdata) -> Result<(), Wrong> {
        let mut types = Vec::new();
        while !self.words.is_empty() {
            types.push(self.record_type()?.0);
        }
        out.wire.extend(bitmap(types));
        Ok(())
    }

    /// Reads `YYYYMMDDHHmmSS` or seconds since 1970, both modulo 2^32.
    pub(super) fn moment(&mut self, what: &str) -> Result<u32, Wrong> {
        let word = self.next()?;
        let text = self.text_of(&word);
        let digits = text.bytes().all(|octet| octet.is_ascii_digit());
        let seconds = if text.len() == 14 && digits { calendar_seconds(text) } else { text.parse().ok() };
        match seconds.filter(|_| digits) {
            Some(seconds) => Ok(seconds),
            None => {
                let message = format!("`{}` is no {what}", self.shown(word.at));
                self.wrong_help(
                    word.at,
                    message,
                    "write the UTC time as in `20300131235959`, or its Unix seconds",
                )
            }
        }
    }

    pub(super) fn salt(&mut self, out: &mut Rdata) -> Result<(), Wrong> {
        let text = self.words.first().map(|word| self.text_of(word));
        if text == Some("-") {
            out.wire.push(0);
            return self.next().map(|_| ());
        }
        self.counted("salt", codec::from_hex, out)
    }

    pub(super) fn base32(&mut self, what: &str, out: &mut Rdata) -> Result<(), Wrong> {
        self.counted(what, codec::from_base32, out)
    }

    /// Reads one word of encoded octets, and puts their number in front.
    fn counted(
        &mut self,
        what: &str,
        decode: fn(&str) -> Result<Vec<u8>, CodecError>,
        out: &mut Rdata,
    ) -> Result<(), Wrong> {
        let word = self.next()?;
        let octets = decode(self.text_of(&word)).ok();
        match octets.and_then(|octets| Some((u8::try_from(octets.len()).ok()?, octets))) {
            Some((length, octets)) if length > 0 => {
                out.wire.push(length);
                out.wire.extend_from_slice(&octets);
                Ok(())
            }
            _ => self.wrong(word.at, format!("`{}` is no {what}", self.shown(word.at))),
        }
    }

    /// Reads `count` octets as `00-00-5e-…`.
    pub(super) fn pairs(&mut self, count: usize, what: &str, out: &mut Rdata) -> Result<(), Wrong> {
        let word = self.next()?;
        let text = self.text_of(&word);
        let octets: Option<Vec<u8>> = text
            .split('-')
            .map(|pair| codec::from_hex(pair).ok().filter(|octets| octets.len() == 1)?.pop())
            .collect();
        match octets.filter(|octets| octets.len() == count) {
            Some(octets) => {
                out.wire.extend_from_slice(&octets);
                Ok(())
            }
            None => self.wrong(word.at, format!("`{}` is no {what}", self.shown(word.at))),
        }
    }

    /// Reads 64 bits as `0014:4fff:ff20:ee64`.
    pub(super) fn groups(&mut self, what: &str, out: &mut Rdata) -> Result<(), Wrong> {
        let word = self.next()?;
        let text = self.text_of(&word);
        let group = |text: &str| u16::from_str_radix(text, 16).ok().filter(|_| (1..=4).contains(&text.len()));
        let groups: Option<Vec<u16>> = text.split(':').map(group).collect();
        match groups.filter(|groups| groups.len() == 4 && !text.contains('+')) {
            Some(groups) => {
                out.wire.extend(groups.iter().flat_map(|group| group.to_be_bytes()));
                Ok(())
            }
            None => self.wrong(word.at, format!("`{}` is no {what}", shown(text))),
        }
    }

    /// Reads the discovery flag and the type of a relay.
    pub(super) fn relay(&mut self) -> Result<u8, Wrong> {
        let word = self.words.first().copied();
        let discovery: u8 = self.integer("discovery flag", 1)?;
        if let Some(word) = word.filter(|_| discovery > 1) {
            return self.wrong(word.at, format!("`{discovery}` is no discovery flag: 0 or 1"));
        }
        let word = self.words.first().copied();
        let kind: u8 = self.integer("relay type", 3)?;
        match word.filter(|_| kind > 3) {
            Some(word) => self.wrong(word.at, format!("`{kind}` is no relay type: 0 to 3")),
            None => Ok(discovery << 7 | kind),
        }
    }

    /// Reads an NSAP address.
    pub(super) fn nsap(&mut self, out: &mut Rdata) -> Result<(), Wrong> {
        let word = self.next()?;
        let text = self.text_of(&word);
        let digits =
            text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).map(|rest| rest.replace('.', ""));
        match digits.and_then(|digits| codec::from_hex(&digits).ok()).filter(|octets| !octets.is_empty()) {
            Some(octets) => {
                out.wire.extend_from_slice(&octets);
                Ok(())
            }
            None => {
                let message = format!("`{}` is no NSAP address", self.shown(word.at));
                self.wrong_help(
                    word.at,
                    message,
                    "write `0x`, then hexadecimal digits, with dots between or without",
                )
            }
        }
    }

    /// Reads a scheme of DSYNC.
    pub(super) fn scheme(&mut self) -> Result<u8, Wrong> {
        match self.words.first().map(|word| self.text_of(word)) {
            Some(text) if text.eq_ignore_ascii_case("NOTIFY") => self.next().map(|_| 1),
            _ => self.integer("scheme", u8::MAX),
        }
    }

    pub(super) fn certificate_type(&mut self) -> Result<u16, Wrong> {
        let known = self.words.first().and_then(|word| shape::certificate_type(self.text_of(word)));
        match known {
            Some(number) => self.next().map(|_| number),
            None => self.integer("certificate type", u16::MAX),
        }
    }
}

/// The bitmap of `types`: windows of 256 types, each with as many octets as it needs (RFC 4034, section 4.1.2).
/// Their order and repetitions make no difference.
pub fn bitmap(mut types: Vec<u16>) -> Vec<u8> {
    types.sort_unstable();
    let mut wire = Vec::new();
    for window in types.chunk_by(|a, b| a >> 8 == b >> 8) {
        let mut bits = [0_u8; 32];
        let mut length = 0;
        for rtype in window {
            let [_, low] = rtype.to_be_bytes();
            let at = low / 8;
            if let Some(octet) = bits.get_mut(usize::from(at)) {
                *octet |= 0x80 >> (low % 8);
            }
            length = at + 1;
        }
        let [number, _] = window.first().copied().unwrap_or(0).to_be_bytes();
        wire.extend_from_slice(&[number, length]);
        wire.extend(bits.iter().take(length.into()));
    }
    wire
}

/// The types of a bitmap; `None` if it is malformed.
pub(super) fn read_bitmap(mut wire: &[u8]) -> Option<Vec<u16>> {
    let mut types = Vec::new();
    let mut last = None;
    while let [window, length @ 1..=32, rest @ ..] = wire {
        let (octets, rest) = rest.split_at_checked(usize::from(*length))?;
        if last.replace(*window).is_some_and(|last| last >= *window) || octets.last() == Some(&0) {
            return None;
        }
        for (at, octet) in (0_u16..).zip(octets) {
            let set = (0..8).filter(|bit| octet & 0x80 >> bit != 0);
            types.extend(set.map(|bit| u16::from(*window) << 8 | at << 3 | bit));
        }
        wire = rest;
    }
    wire.is_empty().then_some(types)
}

/// Seconds since 1970, modulo 2^32, of a moment of the Gregorian calendar.
fn calendar_seconds(text: &str) -> Option<u32> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before: u64 = lengths.iter().take(usize::try_from(month.checked_sub(1)?).ok()?).sum();
    let length = lengths.get(usize::try_from(month - 1).ok()?)?;
    if year < 1970 || !(1..=*length).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let days = (year - 1970) * 365 + leaps(year - 1) - leaps(1969) + before + day - 1;
    u32::try_from((days * 86_400 + hour * 3_600 + minute * 60 + second) & 0xffff_ffff).ok()
}

/// `YYYYMMDDHHmmSS` of seconds since 1970.
pub(super) fn calendar_text(seconds: u32) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's algorithm, for years from 1970: counts from 1 March of the year 0.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u32::from(month <= 2);
    format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}", rest / 3_600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_back_from_what_is_shown() {
        for (seconds, text) in [
            (0, "19700101000000"),
            (951_782_399, "20000228235959"),
            (951_782_400, "20000229000000"),
            (1_709_164_800, "20240229000000"),
            (4_107_542_400, "21000301000000"),
            (u32::MAX, "21060207062815"),
        ] {
            assert_eq!(calendar_text(seconds), text);
            assert_eq!(calendar_seconds(text), Some(seconds));
        }
        for text in ["20230229000000", "20231301000000", "20230100000000", "20230101240000", "19690101000000"]
        {
            assert_eq!(calendar_seconds(text), None, "{text}");
        }
    }

    #[test]
    fn bitmaps_are_those_of_rfc_4034_section_4_3() {
        let wire = bitmap(vec![1, 15, 46, 47, 1234, 1]);
        let mut expected = vec![0, 6, 0x40, 0x01, 0, 0, 0, 3, 4, 27];
        expected.extend([0; 26]);
        expected.push(0x20);
        assert_eq!(wire, expected);
        assert_eq!(read_bitmap(&wire), Some(vec![1, 15, 46, 47, 1234]));
        for wire in [&[0][..], &[0, 0], &[0, 1], &[0, 1, 0], &[1, 1, 1, 0, 1, 1], &[0, 33, 1]] {
            assert_eq!(read_bitmap(wire), None, "{wire:?}");
        }
    }
}
