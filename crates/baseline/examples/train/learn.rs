//! Multinomial logistic regression by AdaGrad, then the features that matter, in eight bits.

use chatly_baseline::features::{BUCKET_BITS, Features};
use chatly_baseline::model::{Class, Model, softmax};
use chatly_random::Random;

pub struct Example {
    pub features: Features,
    pub class: usize,
    /// How much it counts.
    pub weight: f32,
}

pub struct Settings {
    pub epochs: usize,
    pub rate: f32,
    /// L2, applied to the features of an example when it is seen.
    pub decay: f32,
    /// Features that stay.
    pub keep: usize,
}

/// A weight and the sum of its squared gradients, per class.
struct Row {
    bucket: u32,
    weights: Vec<f32>,
    squares: Vec<f32>,
}

impl Row {
    fn new(bucket: u32, width: usize) -> Self {
        Self {
            bucket,
            weights: vec![0.0; width],
            squares: vec![1e-3; width],
        }
    }

    fn step(&mut self, slopes: &[f32], value: f32, settings: &Settings) {
        for ((weight, square), slope) in self.weights.iter_mut().zip(&mut self.squares).zip(slopes)
        {
            let slope = slope * value + settings.decay * *weight;
            *square += slope * slope;
            *weight -= settings.rate * slope / square.sqrt();
        }
    }
}

/// The rows that were seen, found by their bucket.
struct Rows {
    places: Vec<u32>,
    rows: Vec<Row>,
    width: usize,
}

impl Rows {
    fn new(width: usize) -> Self {
        Self {
            places: vec![u32::MAX; 1 << BUCKET_BITS],
            rows: Vec::new(),
            width,
        }
    }

    /// The places of the rows of these features, made where they are missing.
    fn places(&mut self, features: &Features) -> Vec<(usize, f32)> {
        features
            .iter()
            .filter_map(|feature| {
                let place = self.places.get_mut(feature.bucket as usize)?;
                if *place == u32::MAX {
                    *place = self.rows.len() as u32;
                    self.rows.push(Row::new(feature.bucket, self.width));
                }
                Some((*place as usize, feature.value))
            })
            .collect()
    }
}

pub fn learn(
    classes: &[String],
    examples: &[Example],
    settings: &Settings,
    random: &mut Random,
) -> Model {
    let width = classes.len();
    let balance = balance(examples, width);
    let mut rows = Rows::new(width);
    let places: Vec<Vec<(usize, f32)>> = examples
        .iter()
        .map(|example| rows.places(&example.features))
        .collect();
    let mut biases = Row::new(0, width);
    let mut order: Vec<usize> = (0..examples.len()).collect();
    for _ in 0..settings.epochs {
        random.shuffle(&mut order);
        for index in &order {
            let (Some(example), Some(places)) = (examples.get(*index), places.get(*index)) else {
                continue;
            };
            let share = balance.get(example.class).copied().unwrap_or(1.0) * example.weight;
            step(
                &mut rows,
                &mut biases,
                places,
                example.class,
                share,
                settings,
            );
        }
    }
    quantised(classes, rows.rows, &biases, settings.keep)
}

fn step(
    rows: &mut Rows,
    biases: &mut Row,
    places: &[(usize, f32)],
    class: usize,
    share: f32,
    settings: &Settings,
) {
    let mut scores = biases.weights.clone();
    for (place, value) in places {
        if let Some(row) = rows.rows.get(*place) {
            for (score, weight) in scores.iter_mut().zip(&row.weights) {
                *score += weight * value;
            }
        }
    }
    let slopes: Vec<f32> = softmax(&scores)
        .iter()
        .enumerate()
        .map(|(index, p)| share * (p - f32::from(u8::from(index == class))))
        .collect();
    biases.step(&slopes, 1.0, settings);
    for (place, value) in places {
        if let Some(row) = rows.rows.get_mut(*place) {
            row.step(&slopes, *value, settings);
        }
    }
}

/// So that a class with few examples is not thought rare: the root of how much rarer it is than the
/// mean.
fn balance(examples: &[Example], width: usize) -> Vec<f32> {
    let mut counts = vec![0.0_f32; width];
    for example in examples {
        if let Some(count) = counts.get_mut(example.class) {
            *count += 1.0;
        }
    }
    let mean = examples.len() as f32 / width.max(1) as f32;
    counts
        .iter()
        .map(|count| (mean / count.max(1.0)).sqrt())
        .collect()
}

fn quantised(classes: &[String], rows: Vec<Row>, biases: &Row, keep: usize) -> Model {
    let mut rows: Vec<(u32, Vec<f32>)> = rows
        .into_iter()
        .map(|row| (row.bucket, centred(row.weights)))
        .collect();
    let size = |row: &(u32, Vec<f32>)| row.1.iter().map(|w| w * w).sum::<f32>();
    rows.sort_by(|a, b| size(b).total_cmp(&size(a)).then(a.0.cmp(&b.0)));
    rows.truncate(keep);
    rows.sort_by_key(|row| row.0);
    let scales: Vec<f32> = (0..classes.len())
        .map(|class| {
            let largest = rows
                .iter()
                .filter_map(|row| row.1.get(class))
                .fold(0.0_f32, |m, w| m.max(w.abs()));
            largest.max(f32::MIN_POSITIVE) / 127.0
        })
        .collect();
    Model {
        digest: 0,
        classes: classes
            .iter()
            .zip(biases.weights.iter().zip(&scales))
            .map(|(name, (bias, scale))| Class {
                name: name.clone(),
                bias: *bias,
                scale: *scale,
            })
            .collect(),
        buckets: rows.iter().map(|row| row.0).collect(),
        weights: rows
            .iter()
            .flat_map(|row| {
                row.1
                    .iter()
                    .zip(&scales)
                    .map(|(weight, scale)| (weight / scale).round() as i8)
            })
            .collect(),
    }
}

/// Only differences between classes count, so their mean is taken out before sizes are compared.
fn centred(mut weights: Vec<f32>) -> Vec<f32> {
    let mean = weights.iter().sum::<f32>() / weights.len().max(1) as f32;
    for weight in &mut weights {
        *weight -= mean;
    }
    weights
}

/// Makes a model as sure as it is right: the number by which its scores are divided so that the right
/// classes of these held-out scores become likeliest (golden section search).
pub fn temperature(held_out: &[(Vec<f32>, usize)]) -> f32 {
    let loss = |temperature: f32| -> f32 {
        held_out
            .iter()
            .map(|(scores, class)| {
                let cooled: Vec<f32> = scores.iter().map(|score| score / temperature).collect();
                -softmax(&cooled)
                    .get(*class)
                    .copied()
                    .unwrap_or(0.0)
                    .max(1e-6)
                    .ln()
            })
            .sum()
    };
    let (mut low, mut high) = (0.3_f32, 5.0_f32);
    for _ in 0..24 {
        let (a, b) = (high - 0.618 * (high - low), low + 0.618 * (high - low));
        if loss(a) < loss(b) {
            high = b;
        } else {
            low = a;
        }
    }
    // Two digits say enough, and do not hang on the last bit of a logarithm.
    (50.0 * (low + high)).round() / 100.0
}

/// Divides the scores that `model` gives.
pub fn cool(model: &mut Model, temperature: f32) {
    for class in &mut model.classes {
        class.bias /= temperature;
        class.scale /= temperature;
    }
}
