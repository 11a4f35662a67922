//! `enricher-llm`: `chatly:enricher` with the help of a language model.
//!
//! A thin shell: it sends what the crate `chatly-understand` says and hands it what came back. It
//! may reach the provider's host and nothing else: no store, no variable, no file. The deadline
//! covers both calls and their bodies.

mod convert;
mod infer;
mod send;

mod bindings {
    #![expect(
        clippy::crate_in_macro_def,
        reason = "the generated macro is for this crate"
    )]
    spin_sdk::wit_bindgen::generate!({
        path: "../../../wit",
        world: "enricher",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "crate::bindings",
    });
}

use std::time::{Duration, Instant};

use bindings::chatly::types::enrichment::{RedactedTurn, Request};
use bindings::exports::chatly::enricher::enricher as wit;
use chatly_understand::{Call, Enriched, Error, Session, Step, Usage};

struct Llm;
bindings::export!(Llm);

/// A repair with less time than this would be paid for and never read.
const LEAST_TIME: Duration = Duration::from_millis(250);

impl wit::Guest for Llm {
    async fn enrich(
        window: Vec<RedactedTurn>,
        request: Request,
        provider: wit::Provider,
    ) -> Result<wit::Answer, wit::Failure> {
        let deadline = Deadline::after(Duration::from_millis(provider.timeout_ms.into()));
        let model = provider.model.clone();
        let window: Vec<_> = window.into_iter().map(convert::turn).collect();
        let session = Session::new(
            convert::provider(provider),
            &window,
            &convert::request(request),
        );
        let mut session = session.map_err(|error| {
            let usage = Usage {
                model: model.clone(),
                ..Usage::default()
            };
            convert::failure(error, &usage)
        })?;
        match run(&mut session, &deadline).await {
            Ok(enriched) => Ok(convert::answer(enriched, &model, session.usage())),
            Err(error) => Err(convert::failure(error, session.usage())),
        }
    }
}

async fn run(session: &mut Session, deadline: &Deadline) -> Result<Enriched, Error> {
    let mut call = session.first();
    loop {
        call = match step(session, call, deadline).await {
            Step::Done(enriched) => return Ok(*enriched),
            Step::Failed(error) => return Err(error),
            Step::Repair(_) if deadline.left() < LEAST_TIME => return Err(session.give_up()),
            Step::Repair(repair) => repair,
        };
    }
}

async fn step(session: &mut Session, call: Call, deadline: &Deadline) -> Step {
    match call {
        Call::Http { url, headers, body } => {
            match send::post(&url, headers, body, deadline.left()).await {
                Ok(response) => session.answered(&response),
                Err((error, sent)) => Step::Failed(session.lost(error, sent)),
            }
        }
        Call::Spin {
            model,
            prompt,
            max_tokens,
        } => match infer::infer(&model, &prompt, max_tokens) {
            Ok(result) => {
                let usage = result.usage;
                session.inferred(
                    &result.text,
                    usage.prompt_token_count,
                    usage.generated_token_count,
                )
            }
            Err(error) => Step::Failed(session.lost(error, false)),
        },
    }
}

/// The end of all of it.
struct Deadline {
    started: Instant,
    after: Duration,
}

impl Deadline {
    fn after(after: Duration) -> Self {
        Self {
            started: Instant::now(),
            after,
        }
    }

    fn left(&self) -> Duration {
        self.after.saturating_sub(self.started.elapsed())
    }
}
