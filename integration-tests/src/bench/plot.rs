//! A plot with two logarithmic axes, as SVG.

use std::fmt::Write as _;

/// A line and its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Name.
    pub name: String,
    /// Points, from left to right; both coordinates are above zero.
    pub points: Vec<(f64, f64)>,
}

/// A plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot<'t> {
    /// Title.
    pub title: &'t str,
    /// What the horizontal axis means.
    pub x: &'t str,
    /// What the vertical axis means.
    pub y: &'t str,
    /// Lines.
    pub lines: Vec<Line>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 55.0;
/// Colours that people who do not see all of them can tell apart (Okabe and Ito).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

impl Line {
    /// A line without points.
    pub fn new(name: &str) -> Line {
        Line { name: name.to_owned(), points: Vec::new() }
    }
}

impl Plot<'_> {
    /// The picture.
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let (x, y) = (Axis::over(points().map(|point| point.0)), Axis::over(points().map(|point| point.1)));
        let at_x = |value: f64| LEFT + x.share(value) * (WIDTH - LEFT - RIGHT);
        let at_y = |value: f64| HEIGHT - BOTTOM - y.share(value) * (HEIGHT - TOP - BOTTOM);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">{}</text>\n",
            self.title
        );
        for value in x.decades() {
            let at = at_x(value);
            let _ = writeln!(
                out,
                "<path d=\"M{at:.1} {TOP}V{:.1}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{:.1}\" \
                 text-anchor=\"middle\">{value}</text>",
                HEIGHT - BOTTOM,
                HEIGHT - BOTTOM + 18.0
            );
        }
        for value in y.decades() {
            let at = at_y(value);
            let _ = writeln!(
                out,
                "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{value}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                at + 4.0
            );
        }
        for ((number, line), colour) in self.lines.iter().enumerate().zip(COLOURS.iter().cycle()) {
            let way: Vec<String> =
                line.points.iter().map(|&(x, y)| format!("{:.1},{:.1}", at_x(x), at_y(y))).collect();
            let (label_x, label_y) = (WIDTH - RIGHT + 14.0, TOP + 14.0 + number as f64 * 20.0);
            let _ = writeln!(
                out,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
                 <text x=\"{label_x}\" y=\"{label_y}\" fill=\"{colour}\">{}</text>",
                way.join(" "),
                line.name
            );
        }
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        let _ = writeln!(
            out,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n</svg>",
            HEIGHT - 12.0,
            self.x,
            (TOP + HEIGHT - BOTTOM) / 2.0,
            self.y
        );
        out
    }
}

/// A logarithmic axis over whole decades.
struct Axis {
    first: f64,
    last: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>) -> Axis {
        let logs: Vec<f64> = values.filter(|value| *value > 0.0).map(f64::log10).collect();
        let first = logs.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let last = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil();
        if first.is_finite() {
            Axis { first, last: last.max(first + 1.0) }
        } else {
            Axis { first: 0.0, last: 1.0 }
        }
    }

    fn share(&self, value: f64) -> f64 {
        (value.max(f64::MIN_POSITIVE).log10() - self.first) / (self.last - self.first)
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        let (first, count) = (self.first, self.last - self.first);
        (0..32)
            .map(f64::from)
            .take_while(move |step| *step <= count)
            .map(move |step| 10_f64.powf(first + step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_its_lines_and_decades() {
        let line = Line { name: "µs".to_owned(), points: vec![(1000.0, 2.0), (100_000.0, 3.0)] };
        let svg = Plot { title: "Title", x: "hosts", y: "cost", lines: vec![line] }.svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        for text in
            [">1000<", ">10000<", ">100000<", ">1<", ">10<", ">µs<", "points=\"70.0,267.2 530.0,209.9\""]
        {
            assert!(svg.contains(text), "{text} in {svg}");
        }
    }
}
