use plotters::prelude::*;

use super::report::Output;

const SIZE: (u32, u32) = (760, 460);
const FONT: (&str, u32) = ("sans-serif", 15);

/// Lines over an axis that is swept, drawn as SVG.
pub(crate) struct Plot {
    pub(crate) title: String,
    /// What is swept.
    pub(crate) across: &'static str,
    /// What was measured.
    pub(crate) up: &'static str,
    pub(crate) lines: Vec<Line>,
}

/// The medians of one engine.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Plot {
    /// Draws it into `<name>.svg`; nothing where fewer than two values were swept.
    pub(crate) fn save(&self, output: &Output, name: &str) -> anyhow::Result<()> {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let (from, to, top) = points.fold((f64::MAX, f64::MIN, 0.0_f64), |seen, (x, y)| {
            (seen.0.min(*x), seen.1.max(*x), seen.2.max(*y))
        });
        if from >= to {
            return Ok(());
        }
        let mut svg = String::new();
        let drawn = self.draw(&mut svg, from..to, top);
        drawn.map_err(|error| anyhow::anyhow!("`{name}.svg` cannot be drawn: {error}"))?;
        output.write(&format!("{name}.svg"), &svg)
    }

    fn draw(
        &self,
        svg: &mut String,
        across: std::ops::Range<f64>,
        top: f64,
    ) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
        let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(across.log_scale(), 0.0..top * 1.15)?;
        chart
            .configure_mesh()
            .x_desc(self.across)
            .y_desc(self.up)
            .x_label_formatter(&|x| format!("{x:.0}"))
            .label_style(FONT)
            .light_line_style(WHITE)
            .draw()?;
        for (number, line) in self.lines.iter().enumerate() {
            let color = Palette99::pick(number).to_rgba();
            let points = line.points.iter().copied();
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(2)).point_size(3))?
                .label(&line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.4))
            .label_font(FONT)
            .draw()?;
        area.present()
    }
}
