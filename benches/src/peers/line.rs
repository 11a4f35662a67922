//! The figures of one server over all rounds, and the table of all of them.

use std::fmt;
use std::time::Duration;

use crate::figures::Figures;
use crate::pinned;

/// One server in one round.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// CPU time of the server's process for one request, in microseconds.
    cpu_us: f64,
    failures: usize,
}

impl Sample {
    /// From what the load saw and what the server used meanwhile.
    pub fn new(figures: &Figures, cpu: Duration) -> Self {
        let millis = |percent| figures.percentile(percent).as_secs_f64() * 1e3;
        Sample {
            per_second: figures.per_second(),
            p50_ms: millis(50),
            p99_ms: millis(99),
            cpu_us: cpu.as_secs_f64() * 1e6 / figures.count().max(1) as f64,
            failures: figures.failures(),
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms, {:.1} us CPU, {} failed",
            self.per_second, self.p50_ms, self.p99_ms, self.cpu_us, self.failures
        )
    }
}

/// One server in all rounds.
#[derive(Debug)]
pub struct Line {
    name: String,
    samples: Vec<Sample>,
}

impl Line {
    /// No rounds yet.
    pub fn new(name: &str) -> Self {
        Line {
            name: name.to_owned(),
            samples: Vec::new(),
        }
    }

    /// One more round.
    pub fn add(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    fn median(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(of).collect())
    }

    /// The median over the rounds of ours by this server's, each of one round.
    fn ratio(&self, ours: &Line, of: impl Fn(&Sample) -> f64) -> f64 {
        let pairs = ours.samples.iter().zip(&self.samples);
        median(pairs.map(|(ours, theirs)| of(ours) / of(theirs)).collect())
    }
}

/// Prints the table; the first line is ours.
pub fn print(lines: &[Line]) {
    println!(
        "{:<30} {:>10} {:>8} {:>8} {:>10} {:>7} {:>13} {:>12}",
        "server",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU us/req",
        "failed",
        "ours / theirs",
        "by CPU time"
    );
    let Some(ours) = lines.first() else { return };
    for line in lines.iter().filter(|line| !line.samples.is_empty()) {
        println!(
            "{:<30} {:>10.0} {:>8.2} {:>8.2} {:>10.1} {:>7} {:>13.2} {:>12.2}",
            line.name,
            line.median(|sample| sample.per_second),
            line.median(|sample| sample.p50_ms),
            line.median(|sample| sample.p99_ms),
            line.median(|sample| sample.cpu_us),
            line.samples
                .iter()
                .map(|sample| sample.failures)
                .sum::<usize>(),
            line.ratio(ours, |sample| sample.per_second),
            line.ratio(ours, |sample| 1.0 / sample.cpu_us),
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2).copied();
    let lower = values.get(values.len().saturating_sub(1) / 2).copied();
    (lower.unwrap_or(f64::NAN) + upper.unwrap_or(f64::NAN)) / 2.0
}

/// What the figures were taken on.
pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(':'));
    let model = model.map_or("unknown", |(_, model)| model.trim());
    let cores = cpuinfo.lines().filter(|line| line.starts_with("processor"));
    format!(
        "machine: {model}, {} cores, Linux {}, load {}; servers on core {}, load on core {}",
        cores.count(),
        read("/proc/sys/kernel/osrelease").trim(),
        read("/proc/loadavg").split(' ').next().unwrap_or_default(),
        pinned::SERVER_CORE,
        pinned::LOAD_CORE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        for (values, want) in [
            (vec![3.0], 3.0),
            (vec![5.0, 1.0, 3.0], 3.0),
            (vec![4.0, 1.0, 3.0, 2.0], 2.5),
        ] {
            assert_eq!(median(values.clone()), want, "{values:?}");
        }
        assert!(median(Vec::new()).is_nan());
    }
}
