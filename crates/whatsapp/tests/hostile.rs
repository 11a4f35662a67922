//! What becomes of bodies that no platform sends.

use chatly_whatsapp::WhatsApp;

#[test]
fn nothing_makes_it_panic_or_say_nothing() {
    chatly_cases::hostile::<WhatsApp>("whatsapp", None).unwrap();
}
