//! CPU time of a process by the names of its threads, and what of it is the kernel's.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// What `/proc` counts in, on every Linux (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Ticks of each thread name: in user space and in the kernel.
#[derive(Default)]
pub struct Cost(BTreeMap<String, [u64; 2]>);

impl Cost {
    /// What was spent up to now. A thread that ends takes its time out of the count.
    pub fn read(pid: u32) -> Result<Self> {
        let mut cost = Cost::default();
        for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
            // A thread may end meanwhile.
            let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else {
                continue;
            };
            // The name stands in brackets and may hold any character (proc_pid_stat(5)).
            let (head, fields) = stat.rsplit_once(") ").context("a name in brackets")?;
            let (_, name) = head.split_once('(').context("a name in brackets")?;
            let fields: Vec<&str> = fields.split(' ').collect();
            let field = |at: usize| -> Result<u64> {
                Ok(fields.get(at).context("utime and stime")?.parse()?)
            };
            let spent = cost.0.entry(name.to_owned()).or_default();
            // Fields 14 and 15; the first after the name is the third.
            for (spent, at) in spent.iter_mut().zip([11, 12]) {
                *spent += field(at)?;
            }
        }
        Ok(cost)
    }

    /// What was spent since.
    pub fn since(mut self, before: &Self) -> Self {
        for (name, spent) in &mut self.0 {
            let known = before.0.get(name).copied().unwrap_or_default();
            for (spent, known) in spent.iter_mut().zip(known) {
                *spent = spent.saturating_sub(known);
            }
        }
        self
    }

    /// In words, for each of `count` messages: all of it, then the threads that took a tenth or more.
    pub fn of(&self, count: usize) -> String {
        let micros = |ticks: u64| TICK.as_secs_f64() * 1e6 * ticks as f64 / count.max(1) as f64;
        let all: u64 = self.0.values().flatten().sum();
        let mut threads: Vec<_> = self.0.iter().collect();
        threads.sort_by_key(|(_, spent)| std::cmp::Reverse(spent.iter().sum::<u64>()));
        let threads = threads
            .into_iter()
            .filter(|(_, spent)| spent.iter().sum::<u64>() * 10 >= all.max(1))
            .map(|(name, [user, kernel])| {
                format!(
                    "{name} {:.0} + {:.0} kernel",
                    micros(*user),
                    micros(*kernel)
                )
            });
        let threads: Vec<String> = threads.collect();
        format!("CPU {:.0} us each ({})", micros(all), threads.join(", "))
    }
}
