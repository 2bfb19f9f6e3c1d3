use ringback::view::View;

ringback::callback! { pub struct Results(x: f64) -> [f64; 65]; }
ringback::callback! { pub struct None(x: f64) -> [f64; 0]; }
ringback::callback! { pub struct Rank(x: View<'_, f64, 5>) -> f64; }

fn main() {}
