//! Figures of several rounds: their median and how far they spread.

use std::fmt;

/// What the rounds gave, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures(pub Vec<f64>);

impl Figures {
    /// The one in the middle; not a number without any.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            even if even % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        }
    }

    /// The least and the greatest.
    pub fn range(&self) -> (f64, f64) {
        (
            self.0.iter().copied().fold(f64::INFINITY, f64::min),
            self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        )
    }

    /// Round by round, this divided by `other`.
    #[must_use]
    pub fn over(&self, other: &Figures) -> Figures {
        Figures(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }
}

/// As `1.41 (1.36–1.44)`.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, greatest) = self.range();
        let digits = f.precision().unwrap_or(2);
        match self.0.len() {
            0 => f.write_str("–"),
            1 => write!(f, "{:.digits$}", self.median()),
            _ => write!(f, "{:.digits$} ({least:.digits$}–{greatest:.digits$})", self.median()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_with_their_spread() {
        let figures = Figures(vec![3.0, 1.0, 2.0]);
        assert_eq!(figures.to_string(), "2.00 (1.00–3.00)");
        assert_eq!(format!("{:.1}", figures.over(&Figures(vec![1.0, 1.0, 1.0]))), "2.0 (1.0–3.0)");
        assert_eq!(Figures(vec![1.0, 2.0]).median(), 1.5);
        assert_eq!(Figures::default().to_string(), "–");
    }
}
