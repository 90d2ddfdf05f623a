//! Integration tests: the built program, real databases, files on disk. One binary, because each further one would link everything again.
//! A test whose server is missing says `SKIPPED: needs …`; under `tests/run` that is a failure.

mod awkward;
mod bad_input;
mod crash;
mod demo_data;
mod fides_fixture;
mod fides_sample;
mod harness;
mod hold_race;
mod json_export;
mod json_masks;
mod laws_erase;
mod laws_export;
mod laws_holds;
mod laws_names;
mod laws_ownership;
mod laws_plan;
mod laws_verify;
mod leaks;
mod map_check;
mod ownership_shapes;
mod ownership_worlds;
mod readme;
mod relook;
mod statement_count;
mod support;
mod validators;
mod verbs_checks;
mod verbs_holds;
mod verbs_requests;
mod worlds;
