//! What must hold for every signature scheme: a genuine delivery is accepted, and nothing else.

use anyhow::{Context as _, Result, bail, ensure};
use chatly_channel::{Channel, Delivery, Header, Refusal};

/// A delivery that must be accepted, from the platform's own vectors or its simulator.
#[derive(Debug, Clone)]
pub struct Genuine {
    /// The delivery.
    pub delivery: Delivery,
    /// The secrets that it must be accepted with.
    pub secrets: Vec<String>,
    /// Unix seconds of its receipt.
    pub now: u64,
    /// The headers that the scheme demands, exactly once each.
    pub headers: &'static [&'static str],
    /// Those of them whose every byte is proof: a change in any bit is refused.
    pub proofs: &'static [&'static str],
    /// Whether the body is covered by the proof; not so with a shared token.
    pub covers_body: bool,
    /// How many seconds a clock may be off, where the scheme has a time.
    pub tolerance_secs: Option<u64>,
}

impl Genuine {
    /// Runs all checks; the error names the one that fails.
    pub fn check<C: Channel>(&self) -> Result<()> {
        let accepts = |delivery: &Delivery| C::verify(delivery, &self.secrets, self.now);
        accepts(&self.delivery).context("it is not accepted as it is")?;
        self.check_secrets::<C>()?;
        self.check_time::<C>()?;
        if self.covers_body {
            for at in 0..self.delivery.body.len() {
                for bit in 0..8 {
                    let mut changed = self.delivery.clone();
                    flip(&mut changed.body, at, bit);
                    refused(&accepts(&changed), || {
                        format!("bit {bit} of byte {at} of the body")
                    })?;
                }
            }
            let mut longer = self.delivery.clone();
            longer.body.push(b' ');
            refused(&accepts(&longer), || "a byte after the body".to_owned())?;
        }
        for name in self.headers {
            self.check_header::<C>(name)?;
        }
        for name in self.proofs {
            self.check_proof::<C>(name)?;
        }
        Ok(())
    }

    fn check_secrets<C: Channel>(&self) -> Result<()> {
        let verify = |secrets: &[String]| C::verify(&self.delivery, secrets, self.now);
        for blank in [
            vec![],
            vec![String::new()],
            vec![" ".to_owned(), "\t\n".to_owned()],
        ] {
            ensure!(
                verify(&blank) == Err(Refusal::NoSecret),
                "the secrets {blank:?} give {:?}",
                verify(&blank)
            );
        }
        let other: Vec<String> = self.secrets.iter().map(|it| other_secret(it)).collect();
        refused(&verify(&other), || "another secret".to_owned())?;
        let rotated = [other, vec![" ".to_owned()], self.secrets.clone()].concat();
        verify(&rotated).context("the previous secret of several")
    }

    fn check_time<C: Channel>(&self) -> Result<()> {
        let at = |now| C::verify(&self.delivery, &self.secrets, now);
        let Some(tolerance) = self.tolerance_secs else {
            return at(0)
                .context("long before")
                .and(at(u64::MAX).context("long after"));
        };
        let (early, late) = (self.now - tolerance, self.now + tolerance);
        at(early).context("as early as can be")?;
        at(late).context("as late as can be")?;
        for now in [0, early - 1, late + 1, u64::MAX] {
            ensure!(
                matches!(at(now), Err(Refusal::Stale(_))),
                "at {now} it gives {:?}",
                at(now)
            );
        }
        Ok(())
    }

    fn check_header<C: Channel>(&self, name: &str) -> Result<()> {
        let is = |header: &Header| header.name.eq_ignore_ascii_case(name);
        let all = &self.delivery.headers;
        let own = all
            .iter()
            .find(|header| is(header))
            .context("a header of its own")?;
        let others: Vec<_> = all.iter().filter(|header| !is(header)).cloned().collect();
        let with = |more: Vec<Header>| {
            let delivery = Delivery {
                headers: [others.clone(), more].concat(),
                ..self.delivery.clone()
            };
            C::verify(&delivery, &self.secrets, self.now)
        };
        let value = |value: Vec<u8>| {
            vec![Header {
                name: name.to_owned(),
                value,
            }]
        };
        let lower = Header {
            name: own.name.to_ascii_lowercase(),
            ..own.clone()
        };
        let upper = Header {
            name: own.name.to_ascii_uppercase(),
            ..own.clone()
        };
        with(vec![lower]).context("its name in lower case")?;
        with(vec![upper]).context("its name in upper case")?;
        refused(&with(vec![]), || format!("without {name}"))?;
        refused(&with(vec![own.clone(), own.clone()]), || {
            format!("{name} twice")
        })?;
        refused(&with(value(vec![])), || format!("{name} empty"))?;
        refused(&with(value(vec![0xff; 64])), || {
            format!("{name} of no text")
        })?;
        let cut = own
            .value
            .split_last()
            .map(|(_, rest)| rest.to_vec())
            .unwrap_or_default();
        refused(&with(value(cut)), || format!("{name} cut short"))?;
        let longer = [own.value.clone(), b"0".to_vec()].concat();
        refused(&with(value(longer)), || format!("{name} with more"))
    }

    fn check_proof<C: Channel>(&self, name: &str) -> Result<()> {
        let is = |header: &Header| header.name.eq_ignore_ascii_case(name);
        let length = self
            .delivery
            .headers
            .iter()
            .find(|header| is(header))
            .context("a proof")?
            .value
            .len();
        for at in 0..length {
            for bit in 0..8 {
                let mut changed = self.delivery.clone();
                if let Some(header) = changed.headers.iter_mut().find(|header| is(header)) {
                    flip(&mut header.value, at, bit);
                }
                let verdict = C::verify(&changed, &self.secrets, self.now);
                refused(&verdict, || format!("bit {bit} of byte {at} of {name}"))?;
            }
        }
        Ok(())
    }
}

/// A secret of the same form that is another one: its last letter or digit is changed.
fn other_secret(secret: &str) -> String {
    let at = secret.rfind(|c: char| c.is_ascii_alphanumeric());
    let Some((at, found)) = at.and_then(|at| Some((at, secret.get(at..=at)?))) else {
        return format!("{secret}x");
    };
    // One bit further up than padding reaches in base64.
    let other = if matches!(found, "Q" | "0" | "1") {
        "2"
    } else {
        "1"
    };
    format!(
        "{}{other}{}",
        secret.get(..at).unwrap_or_default(),
        secret.get(at + 1..).unwrap_or_default()
    )
}

fn flip(bytes: &mut [u8], at: usize, bit: u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << bit;
    }
}

fn refused(verdict: &Result<(), Refusal>, what: impl FnOnce() -> String) -> Result<()> {
    match verdict {
        Ok(()) => bail!("accepted all the same: {}", what()),
        Err(_) => Ok(()),
    }
}
