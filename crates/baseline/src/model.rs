//! A linear model: one weight per feature and class, and the file that it comes in.
//!
//! File: `digest: u64` of the training texts, `classes: u8`, `features: u32`, then per class `name length: u8`, name, `bias: f32`,
//! `scale: f32`; then the buckets, ascending, as LEB128 differences; then per bucket one signed byte
//! per class, times that class's scale. Little-endian. A file that is cut or damaged is refused.

use crate::features::Feature;

/// Why a model file was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It ends too early, or does not end where it should.
    #[error("the model file has the wrong length")]
    Length,
    /// A class name is not UTF-8.
    #[error("a class of the model file has no legible name")]
    Name,
}

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// [`digest`] of what it was trained on.
    pub digest: u64,
    /// What it tells apart.
    pub classes: Vec<Class>,
    /// The features that it knows, ascending.
    pub buckets: Vec<u32>,
    /// For each feature one weight per class, before scaling.
    pub weights: Vec<i8>,
}

/// One class of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Its score for a text of which nothing is known.
    pub bias: f32,
    /// What a weight of 1 stands for.
    pub scale: f32,
}

impl Model {
    /// The score of each class, in the order of `classes`; higher is more likely. Linear in the
    /// features.
    #[must_use]
    pub fn scores(&self, features: &[Feature]) -> Vec<f32> {
        let width = self.classes.len();
        let mut sums = vec![0.0_f32; width];
        for feature in features {
            for (sum, weight) in sums.iter_mut().zip(self.row(feature.bucket)) {
                *sum += f32::from(*weight) * feature.value;
            }
        }
        for (sum, class) in sums.iter_mut().zip(&self.classes) {
            *sum = *sum * class.scale + class.bias;
        }
        sums
    }

    /// How much each feature speaks for `class` rather than for the mean of all classes, in the order of
    /// `features`.
    pub fn evidence(&self, features: &[Feature], class: usize) -> Vec<f32> {
        let width = self.classes.len().max(1) as f32;
        features
            .iter()
            .map(|feature| {
                let (mut own, mut all) = (0.0_f32, 0.0_f32);
                for (index, (weight, kind)) in self
                    .row(feature.bucket)
                    .iter()
                    .zip(&self.classes)
                    .enumerate()
                {
                    let weight = f32::from(*weight) * kind.scale;
                    all += weight;
                    if index == class {
                        own = weight;
                    }
                }
                (own - all / width) * feature.value
            })
            .collect()
    }

    /// The weights of a feature; none when it is not known.
    fn row(&self, bucket: u32) -> &[i8] {
        let width = self.classes.len();
        self.buckets
            .binary_search(&bucket)
            .ok()
            .and_then(|row| self.weights.get(row * width..(row + 1) * width))
            .unwrap_or_default()
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error`] when it is damaged.
    pub fn decode(file: &[u8]) -> Result<Self, Error> {
        let mut rest = file;
        let digest = u64::from_le_bytes(take(&mut rest)?);
        let width = usize::from(take::<1>(&mut rest)?[0]);
        let rows = u32::from_le_bytes(take(&mut rest)?) as usize;
        let mut classes = Vec::with_capacity(width);
        for _ in 0..width {
            let length = usize::from(take::<1>(&mut rest)?[0]);
            let (name, after) = rest.split_at_checked(length).ok_or(Error::Length)?;
            rest = after;
            classes.push(Class {
                name: str::from_utf8(name).map_err(|_| Error::Name)?.to_owned(),
                bias: f32::from_le_bytes(take(&mut rest)?),
                scale: f32::from_le_bytes(take(&mut rest)?),
            });
        }
        // Each bucket has at least one byte; so no length of a damaged file asks for much memory.
        if rest.len() < rows {
            return Err(Error::Length);
        }
        let mut buckets = Vec::with_capacity(rows);
        let mut bucket = 0_u32;
        for _ in 0..rows {
            bucket = bucket.wrapping_add(read_leb128(&mut rest)?);
            buckets.push(bucket);
        }
        if rest.len() != rows * width {
            return Err(Error::Length);
        }
        let weights = rest.iter().map(|byte| byte.cast_signed()).collect();
        Ok(Self {
            digest,
            classes,
            buckets,
            weights,
        })
    }

    /// Writes a model file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut file = self.digest.to_le_bytes().to_vec();
        file.push(u8::try_from(self.classes.len()).unwrap_or(u8::MAX));
        file.extend(
            u32::try_from(self.buckets.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes(),
        );
        for class in &self.classes {
            file.push(u8::try_from(class.name.len()).unwrap_or(u8::MAX));
            file.extend(class.name.as_bytes());
            file.extend(class.bias.to_le_bytes());
            file.extend(class.scale.to_le_bytes());
        }
        let mut before = 0;
        for bucket in &self.buckets {
            write_leb128(bucket - before, &mut file);
            before = *bucket;
        }
        file.extend(self.weights.iter().map(|weight| weight.cast_unsigned()));
        file
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Error> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(Error::Length)?;
    *rest = after;
    Ok(*taken)
}

fn read_leb128(rest: &mut &[u8]) -> Result<u32, Error> {
    let mut value = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let [byte] = take::<1>(rest)?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(value)
}

fn write_leb128(mut value: u32, file: &mut Vec<u8>) {
    while value > 0x7f {
        file.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    file.push(value as u8);
}

/// FNV-1a (64 bits) over texts, each ended by a byte that no UTF-8 has.
#[must_use]
pub fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for text in texts {
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// Scores as probabilities.
#[must_use]
pub fn softmax(scores: &[f32]) -> Vec<f32> {
    let highest = scores.iter().copied().fold(f32::MIN, f32::max);
    let powers: Vec<f32> = scores.iter().map(|score| exp(score - highest)).collect();
    let sum: f32 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

/// e to the power of `x`, for `x` of at most 0. By sums and products alone, so that a component says
/// the same as a native build, whose mathematical libraries differ in the last bit.
fn exp(x: f32) -> f32 {
    /// Below this the result is nothing beside 1.
    const LEAST: f32 = -40.0;
    /// Halvings before the series, which is then exact to the last bits.
    const HALVINGS: u32 = 16;
    if x < LEAST {
        return 0.0;
    }
    let small = f64::from(x) / f64::from(1_u32 << HALVINGS);
    let mut power = 1.0 + small * (1.0 + small / 2.0 * (1.0 + small / 3.0 * (1.0 + small / 4.0)));
    for _ in 0..HALVINGS {
        power *= power;
    }
    power as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model() -> Model {
        Model {
            digest: 7,
            classes: vec![
                Class {
                    name: "yes".into(),
                    bias: 0.5,
                    scale: 0.1,
                },
                Class {
                    name: "no".into(),
                    bias: 0.0,
                    scale: 0.2,
                },
            ],
            buckets: vec![3, 700, 1_000_000],
            weights: vec![10, -10, 0, 20, 127, -128],
        }
    }

    #[test]
    fn a_file_gives_back_its_model() {
        assert_eq!(Model::decode(&model().encode()), Ok(model()));
    }

    #[test]
    fn scores_are_bias_and_weighted_features() {
        let features = [(3, 0.5), (4, 9.0), (700, 1.0)].map(|(bucket, value)| Feature {
            bucket,
            value,
            word: 0,
        });
        let scores = model().scores(&features);
        assert_eq!(scores, [1.0, 3.0]);
    }

    #[test]
    fn probabilities_keep_the_order_and_sum_to_one() {
        let shares = softmax(&[1000.0, 999.0]);
        assert!(shares[0] > shares[1] && (shares[0] + shares[1] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn powers_of_e() {
        for x in [0.0_f32, -1e-6, -0.5, -1.0, -3.7, -12.0, -39.0] {
            assert!((exp(x) - x.exp()).abs() <= 1e-6 * x.exp(), "{x}");
        }
        assert!(exp(f32::NEG_INFINITY) == 0.0);
    }

    proptest! {
        #[test]
        fn a_cut_file_is_refused(cut in 0..70_usize) {
            let file = model().encode();
            prop_assume!(cut < file.len());
            prop_assert!(Model::decode(&file[..cut]).is_err());
        }

        #[test]
        fn no_bytes_make_it_panic(file in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Model::decode(&file);
        }
    }
}
