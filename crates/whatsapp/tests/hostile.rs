//! What becomes of bodies that no platform sends.

use chatly_whatsapp::WhatsApp;

#[test]
fn nothing_makes_it_panic_or_say_nothing() {
    chatly_cases::hostile::<WhatsApp>("whatsapp", None).unwrap();
}

#[test]
fn what_is_written_once_is_not_copied_without_end() {
    chatly_cases::multiplied::<WhatsApp>("whatsapp").unwrap();
}
