//! What both modules take of the worker around them: the time, and ways to say what went wrong.

use headwater_base::Time;
use serde::Serialize;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = globalThis, js_name = headwaterPanicked, catch)]
    fn panicked(message: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

#[derive(Serialize)]
struct Fault<'a> {
    code: &'a str,
    message: String,
}

/// The one place where browser time enters.
pub(crate) fn now() -> Time {
    Time::from_micros((performance_now() * 1000.0) as u64)
}

/// Tells the worker what is wrong before a panic ends the engine.
pub(crate) fn report_panics() {
    // A host that listens for no panics still sees the trap that follows.
    std::panic::set_hook(Box::new(|panic| drop(panicked(&panic.to_string()))));
}

/// An error to throw: `Fault` of `www/src/error.ts` as JSON.
pub(crate) fn fault(code: &str, why: &dyn std::fmt::Display) -> JsValue {
    JsValue::from_str(&json(&Fault { code, message: why.to_string() }))
}

/// The shapes that are shown have only names and numbers in them, so writing them cannot fail.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
