//! Multinomial logistic regression by AdaGrad, then the features that matter, in eight bits.

use std::collections::HashMap;

use chatly_baseline::features::Features;
use chatly_baseline::model::{Class, Model, softmax};

use crate::random::Random;

pub struct Example {
    pub features: Features,
    pub class: usize,
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
    weights: Vec<f32>,
    squares: Vec<f32>,
}

impl Row {
    fn new(width: usize) -> Self {
        Self {
            weights: vec![0.0; width],
            squares: vec![1e-3; width],
        }
    }

    fn step(&mut self, gradient: impl Iterator<Item = f32>, settings: &Settings) {
        for ((weight, square), slope) in
            self.weights.iter_mut().zip(&mut self.squares).zip(gradient)
        {
            let slope = slope + settings.decay * *weight;
            *square += slope * slope;
            *weight -= settings.rate * slope / square.sqrt();
        }
    }
}

pub fn learn(
    classes: &[String],
    examples: &mut [Example],
    settings: &Settings,
    random: &mut Random,
) -> Model {
    let width = classes.len();
    let balance = balance(examples, width);
    let mut rows: HashMap<u32, Row> = HashMap::new();
    let mut biases = Row::new(width);
    for _ in 0..settings.epochs {
        random.shuffle(examples);
        for example in examples.iter() {
            let mut scores = biases.weights.clone();
            for (bucket, value) in &example.features {
                if let Some(row) = rows.get(bucket) {
                    for (score, weight) in scores.iter_mut().zip(&row.weights) {
                        *score += weight * value;
                    }
                }
            }
            let share = balance.get(example.class).copied().unwrap_or(1.0);
            let slopes: Vec<f32> = softmax(&scores)
                .iter()
                .enumerate()
                .map(|(class, p)| share * (p - f32::from(u8::from(class == example.class))))
                .collect();
            biases.step(slopes.iter().copied(), settings);
            for (bucket, value) in &example.features {
                let row = rows.entry(*bucket).or_insert_with(|| Row::new(width));
                row.step(slopes.iter().map(|slope| slope * value), settings);
            }
        }
    }
    quantised(classes, rows, &biases, settings.keep)
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

fn quantised(classes: &[String], rows: HashMap<u32, Row>, biases: &Row, keep: usize) -> Model {
    let mut rows: Vec<(u32, Vec<f32>)> = rows
        .into_iter()
        .map(|(bucket, row)| (bucket, centred(row.weights)))
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
