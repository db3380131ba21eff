//! Runs detectors over closed windows and publishes what they find.
