//! Facts from the store's rows: one builder for every component that routes.
//!
//! Each component has types of its own for the contract's records, so the builder is a macro over
//! the module that holds them, as `chatly_canonical::wit_conversions!` is for events.

/// Makes `stored`, `known`, `held` and `standing` for the rows of the module at `$rows`
/// (`chatly:store/rows` as bindgen gives it). The caller also needs
/// `chatly_canonical::wit_conversions!`.
#[macro_export]
macro_rules! facts_of_rows {
    ($rows:path) => {
        use $rows as rows;

        /// The facts of a message that is stored.
        pub fn stored(
            message: &rows::StoredMessage,
            contact: ::core::option::Option<rows::Contact>,
            conversation: ::core::option::Option<rows::Conversation>,
        ) -> $crate::Facts {
            let mut facts = $crate::Facts {
                channel: message.channel.clone(),
                account: message.account.clone(),
                at: message.sent_at,
                standby: message.standby,
                message: ::chatly_canonical::Convert::convert(message.content.clone()),
                enrichment: message.enrichment.clone(),
                ..$crate::Facts::default()
            };
            if let Some(contact) = contact {
                known(&mut facts, contact);
            }
            if let Some(conversation) = conversation {
                held(&mut facts, conversation);
            }
            facts
        }

        /// A name that the event brings is newer than the one that is stored.
        fn known(facts: &mut $crate::Facts, contact: rows::Contact) {
            facts.contact_id = contact.id;
            facts.name = facts.name.take().or(contact.name);
            facts.username = facts.username.take().or(contact.username);
            facts.contact_tags = contact.tags;
            facts.attributes = Some(contact.attributes);
            for identity in ::chatly_canonical::Convert::convert(contact.identities) {
                if !facts.identities.contains(&identity) {
                    facts.identities.push(identity);
                }
            }
            facts.lead = contact.lead;
            facts.opt = contact.opt;
        }

        fn held(facts: &mut $crate::Facts, conversation: rows::Conversation) {
            facts.standing = standing(&conversation);
            facts.team = conversation.team;
            facts.conversation_id = conversation.id;
            facts.status = match conversation.status {
                rows::ConversationStatus::Open => "open",
                rows::ConversationStatus::Pending => "pending",
                rows::ConversationStatus::Snoozed => "snoozed",
                rows::ConversationStatus::Resolved => "resolved",
            }
            .to_owned();
            facts.priority = match conversation.priority {
                rows::Priority::Low => "low",
                rows::Priority::Normal => "normal",
                rows::Priority::High => "high",
                rows::Priority::Urgent => "urgent",
            }
            .to_owned();
            facts.assignee = conversation.assignee;
            facts.tags = conversation.tags;
            facts.message_count = conversation.message_count;
        }

        /// What an automatic answer in the conversation depends on.
        pub fn standing(conversation: &rows::Conversation) -> $crate::Standing {
            $crate::Standing {
                human: conversation.handover == rows::Handover::Human,
                muted_until: conversation.muted_until,
                last_human_at: conversation.last_human_at,
                last_bot_at: conversation.last_bot_at,
                bot_run: conversation.bot_run,
                bot_times: conversation.bot_times.clone(),
            }
        }
    };
}

/// Makes `run`, which asks the router of the module at `$router` (`chatly:router/router` as bindgen
/// gives it) and answers in this crate's terms.
#[macro_export]
macro_rules! runs_of_router {
    ($router:path) => {
        use $router as router;

        /// What the router says of one message in this run.
        pub fn ask(
            phase: $crate::Phase,
            rules: &[router::Rule],
            facts: &$crate::Facts,
        ) -> $crate::Ran {
            let outcome = router::route(rules, &facts.to_json());
            let name_of = |id: &str| {
                let rule = rules.iter().find(|rule| rule.id == id);
                rule.map(|rule| rule.name.clone()).unwrap_or_default()
            };
            let tried = outcome.explanations.into_iter().map(|entry| $crate::Tried {
                name: name_of(&entry.rule_id),
                rule_id: entry.rule_id,
                verdict: match entry.verdict {
                    router::Verdict::Matched => $crate::Verdict::Matched,
                    router::Verdict::NotMatched => $crate::Verdict::NotMatched,
                    router::Verdict::Failed => $crate::Verdict::Failed,
                    router::Verdict::Skipped => $crate::Verdict::Skipped,
                },
                reason: entry.reason,
            });
            let decisions = outcome.decisions.into_iter().map(|it| $crate::Decision {
                rule_id: it.rule_id,
                action: it.action,
            });
            $crate::Ran {
                phase,
                tried: tried.collect(),
                decisions: decisions.collect(),
            }
        }
    };
}
