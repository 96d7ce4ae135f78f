//! Lines over two logarithmic axes, as SVG that is readable on light and dark pages.

use std::fmt::Write;

/// A picture.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    /// What stands above it.
    pub title: &'a str,
    /// What the horizontal axis counts.
    pub x: &'a str,
    /// What the vertical axis counts.
    pub y: &'a str,
    /// What is drawn; values up to 0 are left out, for they have no logarithm.
    pub lines: Vec<Line>,
}

/// One line of it.
#[derive(Clone, Debug)]
pub struct Line {
    /// What stands at its end.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
/// Room around the plot: left, right, top and bottom.
const MARGINS: [f64; 4] = [64.0, 72.0, 40.0, 48.0];

/// Half-way between black and white where a page doesn't say what it is.
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#6e7781}\
.title{font-weight:600}\
.grid{stroke:#8c959f;stroke-opacity:.3}\
.line{fill:none;stroke-width:2}\
.s0{stroke:#1f7fe0}.f0{fill:#1f7fe0}\
.s1{stroke:#c4731a}.f1{fill:#c4731a}\
.s2{stroke:#3f9b5b}.f2{fill:#3f9b5b}\
@media(prefers-color-scheme:dark){text{fill:#9198a1}.f0{fill:#1f7fe0}.f1{fill:#c4731a}.f2{fill:#3f9b5b}}";
/// How many colours there are.
const COLOURS: usize = 3;

impl Chart<'_> {
    /// The picture.
    #[must_use]
    pub fn svg(&self) -> String {
        let [left, right, top, bottom] = MARGINS;
        let points = || {
            let all = self.lines.iter().flat_map(|line| &line.points);
            all.filter(|(x, y)| *x > 0.0 && *y > 0.0)
        };
        let across = Axis::of(points().map(|point| point.0), left, WIDTH - right);
        let up = Axis::of(points().map(|point| point.1), HEIGHT - bottom, top);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             role=\"img\" aria-label=\"{title}\">\n<style>{STYLE}</style>\n\
             <text class=\"title\" x=\"{left}\" y=\"20\">{title}</text>\n",
            title = escaped(self.title)
        );
        for tick in across.ticks() {
            let x = across.place(tick);
            line(&mut svg, (x, top), (x, HEIGHT - bottom));
            let at = (x, HEIGHT - bottom + 18.0);
            text(&mut svg, at, "middle", "", &short(tick));
        }
        for tick in up.ticks() {
            let y = up.place(tick);
            line(&mut svg, (left, y), (WIDTH - right, y));
            text(&mut svg, (left - 8.0, y + 4.0), "end", "", &short(tick));
        }
        let middle = f64::midpoint(left, WIDTH - right);
        text(&mut svg, (middle, HEIGHT - 10.0), "middle", "", self.x);
        text(&mut svg, (left - 8.0, top - 12.0), "end", "", self.y);
        for (number, line) in self.lines.iter().enumerate() {
            draw(&mut svg, line, number % COLOURS, &across, &up);
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// A line, its points, and its name at the end.
fn draw(svg: &mut String, line: &Line, colour: usize, across: &Axis, up: &Axis) {
    let drawn = line.points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0);
    let places: Vec<_> = drawn
        .map(|(x, y)| (across.place(*x), up.place(*y)))
        .collect();
    let Some((x, y)) = places.last() else { return };
    let way: Vec<_> = places
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    // Writing to a string never fails.
    let _ = writeln!(
        svg,
        "<polyline class=\"line s{colour}\" points=\"{}\"/>",
        way.join(" ")
    );
    for (x, y) in &places {
        let _ = writeln!(
            svg,
            "<circle class=\"f{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"
        );
    }
    // Lines that end together have their names one above the other.
    let y = y + if colour == 0 { -4.0 } else { 14.0 };
    text(
        svg,
        (x + 8.0, y),
        "start",
        &format!("f{colour}"),
        &line.name,
    );
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        "<path class=\"grid\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, class: &str, text: &str) {
    let class = match class {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    };
    let _ = writeln!(
        svg,
        "<text{class} x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
        escaped(text)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// A logarithmic axis.
struct Axis {
    /// The least and the greatest value: 1, 2 or 5 times a power of ten.
    ends: (f64, f64),
    /// Where they are drawn.
    places: (f64, f64),
}

impl Axis {
    /// From the round number below all values to the one above.
    fn of(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.fold(0.0, f64::max);
        let ends = match least <= most {
            true => (below(least), -below(-most)),
            false => (1.0, 10.0),
        };
        let ends = if ends.0 < ends.1 {
            ends
        } else {
            (ends.0, ends.0 * 10.0)
        };
        Self {
            ends,
            places: (from, to),
        }
    }

    fn place(&self, value: f64) -> f64 {
        let (least, most) = self.ends;
        let share = (value / least).ln() / (most / least).ln();
        self.places.0 + share * (self.places.1 - self.places.0)
    }

    /// Round numbers: all of 1, 2 and 5 times a power of ten, or only powers of ten if those are
    /// many.
    fn ticks(&self) -> Vec<f64> {
        let (least, most) = self.ends;
        let within = |steps: &[f64]| -> Vec<f64> {
            let powers = (-12..13).map(|power| 10_f64.powi(power));
            powers
                .flat_map(|power| steps.iter().map(move |step| step * power))
                .filter(|tick| (least * 0.999..=most * 1.001).contains(tick))
                .collect()
        };
        let fine = within(&[1.0, 2.0, 5.0]);
        match fine.len() {
            0..8 => fine,
            _ => within(&[1.0]),
        }
    }
}

/// The greatest round number that is no greater than a positive value; of a negative one, the
/// negative of the least round number that is no less than its amount.
fn below(value: f64) -> f64 {
    let amount = value.abs();
    let power = 10_f64.powf(amount.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    match value > 0.0 {
        true => steps.into_iter().rfind(|step| *step <= amount * 1.000_1),
        false => {
            let above = steps.into_iter().find(|step| *step >= amount * 0.999_9);
            above.map(|step| -step)
        }
    }
    .unwrap_or(value)
}

/// A number with few digits.
fn short(value: f64) -> String {
    match value {
        1e6.. => format!("{}M", value / 1e6),
        1e3.. => format!("{}k", value / 1e3),
        1.0.. => format!("{value:.0}"),
        _ => format!("{value:.3}").trim_end_matches('0').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: values on and between round numbers.
    /// Guarantees: an axis begins and ends with round numbers, and has a few of them between.
    #[test]
    fn axes_have_round_ends() {
        let axis = |values: &[f64]| Axis::of(values.iter().copied(), 0.0, 100.0);
        let narrow = axis(&[3.0, 41.0]);
        assert_eq!(narrow.ends, (2.0, 50.0));
        assert_eq!(narrow.ticks(), [2.0, 5.0, 10.0, 20.0, 50.0]);
        let wide = axis(&[1.0, 10_000.0]);
        assert_eq!(wide.ends, (1.0, 10_000.0));
        assert_eq!(wide.ticks(), [1.0, 10.0, 100.0, 1_000.0, 10_000.0]);
        assert!((wide.place(100.0) - 50.0).abs() < 1e-9);
        assert_eq!(axis(&[]).ends, (1.0, 10.0));
        assert_eq!(axis(&[5.0]).ends, (5.0, 50.0));
    }

    /// Scenario: numbers from a thousandth to a million.
    /// Guarantees: they are written short.
    #[test]
    fn numbers_are_short() {
        let texts = [0.005, 0.5, 1.0, 200.0, 5_000.0, 2e6].map(short);
        assert_eq!(texts, ["0.005", "0.5", "1", "200", "5k", "2M"]);
    }

    /// Scenario: two lines, one of which has a point that no logarithm takes and a name with a
    /// sign of XML's.
    /// Guarantees: both are drawn where they belong, the point is left out, and the name is text.
    #[test]
    fn lines_are_drawn() {
        let line = |name: &str, points: &[(f64, f64)]| Line {
            name: name.to_owned(),
            points: points.to_vec(),
        };
        let one = line("a<b", &[(1.0, 0.0), (1.0, 1.0), (10.0, 10.0)]);
        let chart = Chart {
            title: "growth",
            x: "work",
            y: "µs",
            lines: vec![one, line("none", &[])],
        };
        let svg = chart.svg();
        let [left, right, top, bottom] = MARGINS;
        let (x, y) = (WIDTH - right, HEIGHT - bottom);
        let way = format!("points=\"{left:.1},{y:.1} {x:.1},{top:.1}\"");
        assert!(svg.contains(&way), "{svg}");
        assert_eq!(svg.matches("<polyline").count(), 1);
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(
            svg.contains(">a&lt;b</text>") && !svg.contains("NaN"),
            "{svg}"
        );
    }
}
