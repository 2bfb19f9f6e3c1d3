ringback::callback! { pub struct Flags(flags: &mut [bool]); }

fn main() {}
