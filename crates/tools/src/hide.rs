//! Passwords on the command line. Whoever lists processes sees the arguments of each; the historical tools overwrite
//! what follows `-u` and `-P`, and so does this, where the system lets a process write its own memory through a file.

use std::fs::{self, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::Words;

/// The options whose values are nobody's business.
const SECRET: [&[u8]; 2] = [b"-u", b"-P"];

/// Position of the argument area's start among the fields of `/proc/self/stat` after the name of the program
/// (`proc_pid_stat(5)`: field 48).
const ARG_START: usize = 48 - 3;

/// Makes the values of `-u` and `-P` unreadable for other processes. `skip` arguments of the process, with its name,
/// come before `args`. Does nothing where that is impossible.
pub fn hide(args: &Words, skip: usize) {
    if args.iter().any(|word| SECRET.contains(&word.as_slice())) {
        let _ = overwrite(args, skip);
    }
}

fn overwrite(args: &Words, skip: usize) -> Option<()> {
    let area = fs::read("/proc/self/cmdline").ok()?;
    let start = arg_start(&fs::read_to_string("/proc/self/stat").ok()?)?;
    let memory = OpenOptions::new().write(true).open("/proc/self/mem").ok()?;
    let places = places(&area);
    for (index, pair) in args.windows(2).enumerate() {
        let [option, value] = pair else { continue };
        let Some(place) = places.get(skip + index + 1) else { continue };
        // The area must be what the arguments were read from, or nothing is touched.
        if !SECRET.contains(&option.as_slice()) || area.get(place.clone()) != Some(value.as_slice()) {
            continue;
        }
        let blank = vec![b' '; place.len()];
        memory.write_all_at(&blank, start + place.start as u64).ok()?;
    }
    Some(())
}

/// Where each argument is in the area, without its final zero.
fn places(area: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    area.split_inclusive(|byte| *byte == 0)
        .map(|argument| {
            let end = start + argument.strip_suffix(&[0]).map_or(argument.len(), <[u8]>::len);
            let place = start..end;
            start += argument.len();
            place
        })
        .collect()
}

/// The address of the argument area. The name of the program stands in parentheses and may hold anything.
fn arg_start(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(ARG_START)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_have_places() {
        assert_eq!(places(b"ab\0\0c\0"), [0..2, 3..3, 4..5]);
        assert_eq!(places(b"xy\0z"), [0..2, 3..4]);
    }

    #[test]
    fn this_process_has_an_argument_area() {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        assert!(arg_start(&stat).unwrap() > 0x1000);
        let fields: Vec<String> = (3..60).map(|n| n.to_string()).collect();
        assert_eq!(arg_start(&format!("1 (a) b) {}", fields.join(" "))), Some(48));
    }
}
