//! How often what happened: a run in which nothing goes wrong shows nothing.

macro_rules! counts {
    ($($(#[doc = $doc:literal])* $name:ident),* $(,)?) => {
        /// How often what happened.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub(crate) struct Counts { $($(#[doc = $doc])* pub(crate) $name: u64),* }

        impl Counts {
            pub(crate) fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }

            pub(crate) fn told(&self) -> String {
                let all = [$((stringify!($name), self.$name)),*];
                let words = all.map(|(name, count)| format!("{} {count}", name.replace('_', " ")));
                words.join(", ")
            }

            /// What has never happened.
            pub(crate) fn missing(&self) -> Vec<&'static str> {
                let all = [$((stringify!($name), self.$name)),*];
                all.into_iter().filter(|(_, count)| *count == 0).map(|(name, _)| name).collect()
            }
        }
    };
}

counts! {
    jobs,
    starts,
    calls,
    lost_calls,
    lost_answers,
    doubled_calls,
    late_calls,
    refused_calls,
    cut_downloads,
    hints,
    lost_hints,
    doubled_hints,
    hub_kills_when_a_print_begins,
    hub_kills_before_a_call_was_applied,
    hub_kills_after_a_call_was_applied,
    agent_kills,
    agent_kills_between_two_lines_of_its_log,
    agent_kills_at_a_start,
    agent_stops,
    torn_journals,
    network_outages,
    clocks_set,
    claims_that_ran_out,
    jobs_cancelled_before_their_start,
    commands,
    commands_done,
    commands_expired,
    commands_refused,
    samples_told,
    samples_left_to_a_later_process,
    prints_completed,
    prints_cancelled,
    prints_failed,
}
