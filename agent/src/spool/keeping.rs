//! Which print files are kept, and how large a new one may be.
//!
//! Owns: the rule. Pure: what is there comes in, what goes comes out. Least recently used first; what a job needs stays,
//! whatever else is wanted. Must not know: folders, disks, jobs.

/// A file that is kept, or the part of one that is being fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<T> {
    /// Which.
    pub file: T,
    /// What it takes.
    pub bytes: u64,
    /// When it was used last; only the order matters.
    pub used: i128,
    /// A job needs it.
    pub in_use: bool,
}

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Free on the disk, without what must stay free; none: it does not tell.
    pub free: Option<u64>,
    /// Of that, what files that are being fetched for others will still take.
    pub promised: u64,
    /// Files are kept up to so many bytes; those that jobs need may take more.
    pub keep: u64,
}

/// The largest file that there is room for, if everything goes that may go; none: the disk does not tell.
pub fn largest<T>(kept: &[Kept<T>], room: &Room) -> Option<u64> {
    let may_go = kept.iter().filter(|kept| !kept.in_use).map(|kept| kept.bytes).sum::<u64>();
    Some(room.free?.saturating_add(may_go).saturating_sub(room.promised))
}

/// What has to go for so many more bytes; none where they don't fit, and then nothing need go.
pub fn to_go<T: Clone + Ord>(kept: &[Kept<T>], room: &Room, more: u64) -> Option<Vec<T>> {
    if largest(kept, room).is_some_and(|largest| largest < more) {
        return None;
    }
    let mut total = kept.iter().map(|kept| kept.bytes).sum::<u64>().saturating_add(more);
    let mut free = room.free.unwrap_or(u64::MAX);
    let wanted = room.promised.saturating_add(more);
    let mut oldest_first: Vec<_> = kept.iter().filter(|kept| !kept.in_use).collect();
    oldest_first.sort_by(|one, other| (one.used, &one.file).cmp(&(other.used, &other.file)));
    let mut going = Vec::new();
    for kept in oldest_first {
        if free >= wanted && total <= room.keep {
            break;
        }
        free = free.saturating_add(kept.bytes);
        total -= kept.bytes;
        going.push(kept.file.clone());
    }
    Some(going)
}

/// When a file that is used now was used: later than all others, whatever the machine's clock says.
pub fn used_now<T>(kept: &[Kept<T>], now: i128) -> i128 {
    kept.iter().map(|kept| kept.used + 1).max().map_or(now, |after| after.max(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn kept(file: u32, bytes: u64, used: i128, in_use: bool) -> Kept<u32> {
        Kept { file, bytes, used, in_use }
    }

    #[rstest]
    #[case::there_is_room(1000, 0, 1000, 100, Some(vec![]))]
    #[case::the_oldest_goes(50, 0, 1000, 100, Some(vec![2]))]
    #[case::and_the_next(0, 0, 1000, 400, Some(vec![2, 1]))]
    #[case::others_are_promised_some(100, 80, 1000, 100, Some(vec![2]))]
    #[case::does_not_fit(0, 0, 1000, 501, None)]
    #[case::no_more_than_is_kept(1000, 0, 700, 100, Some(vec![2]))]
    #[case::larger_than_all_that_is_kept(5000, 0, 700, 2000, Some(vec![2, 1]))]
    fn what_goes(
        #[case] free: u64,
        #[case] promised: u64,
        #[case] keep: u64,
        #[case] more: u64,
        #[case] expected: Option<Vec<u32>>,
    ) {
        let there = [kept(1, 300, 20, false), kept(2, 200, 10, false), kept(3, 150, 5, true)];
        assert_eq!(to_go(&there, &Room { free: Some(free), promised, keep }, more), expected);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_old() {
        let there = [kept(1, 1, 1_000, false)];
        assert_eq!(used_now(&there, 50), 1_001);
        assert_eq!(used_now(&there, 2_000), 2_000);
    }

    fn any_kept() -> impl Strategy<Value = Vec<Kept<u32>>> {
        prop::collection::vec((0_u64..500, -5_i128..50, any::<bool>()), 0..12).prop_map(|files| {
            (0..).zip(files).map(|(file, (bytes, used, in_use))| kept(file, bytes, used, in_use)).collect()
        })
    }

    proptest! {
        #[test]
        fn nothing_in_use_goes_and_no_more_than_has_to(
            there in any_kept(), free in 0_u64..2000, promised in 0_u64..500, keep in 0_u64..3000, more in 0_u64..2000
        ) {
            let room = Room { free: Some(free), promised, keep };
            let fits = more <= largest(&there, &room).unwrap();
            let Some(going) = to_go(&there, &room, more) else {
                prop_assert!(!fits);
                return Ok(());
            };
            prop_assert!(fits);
            let goes = |kept: &&Kept<u32>| going.contains(&kept.file);
            prop_assert!(!there.iter().filter(goes).any(|kept| kept.in_use));
            let gone: u64 = there.iter().filter(goes).map(|kept| kept.bytes).sum();
            let stays: u64 = there.iter().filter(|kept| !goes(kept)).map(|kept| kept.bytes).sum();
            prop_assert!(free + gone >= promised + more, "there is room");
            let all_gone = there.iter().all(|kept| kept.in_use || goes(&kept));
            prop_assert!(stays + more <= keep || all_gone, "no more is kept than may be");
            // Everything that stays was used no earlier than what goes.
            let last = there.iter().filter(goes).map(|kept| kept.used).max();
            let first = there.iter().filter(|kept| !kept.in_use && !goes(kept)).map(|kept| kept.used).min();
            prop_assert!(last.zip(first).is_none_or(|(last, first)| last <= first));
            // Without the last that went it would not do.
            if let Some(last) = going.last() {
                let bytes = there.iter().find(|kept| kept.file == *last).unwrap().bytes;
                prop_assert!(free + gone - bytes < promised + more || stays + more + bytes > keep);
            }
        }
    }
}
