"""A physics-like integrand of some 200 lines: a thermal spectrum behind a gas with thirty lines, seen by a detector."""

import numpy as np


def spectrum(t):
    """Photons a second at the wavelength `t`: continuum, absorption, scattering, response."""
    # Continuum: two black bodies, hot and cool.
    hot = 1.0 / (t**5 * (np.exp(2.4 / t) - 1.0))
    cool = 0.2 / (t**5 * (np.exp(7.2 / t) - 1.0))
    continuum = hot + cool
    # Scattering, and the edge below which nothing passes.
    scattering = 0.02 / (t * t * t * t)
    edge = 1.0 / (1.0 + np.exp((0.6 - t) / 0.1))
    depth = 0.0
    # Line 1: Gaussian and Lorentzian mixed.
    u = (t - 0.674) / 0.186
    wing = 1.0 / (1.0 + u * u)
    core = np.exp(-0.693 * u * u)
    profile = 0.22 * wing + 0.78 * core
    depth += 0.189 * profile
    # Line 2: Lorentzian, skewed.
    u = (t - 0.93) / 0.471
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.111 * u * wing
    profile = wing * skew
    depth += 0.33 * profile
    # Line 3: Lorentzian, skewed.
    u = (t - 1.184) / 0.247
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.114 * u * wing
    profile = wing * skew
    depth += 0.11 * profile
    # Line 4: Lorentzian, skewed.
    u = (t - 1.463) / 0.44
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.123 * u * wing
    profile = wing * skew
    depth += 0.332 * profile
    # Line 5: Lorentzian, skewed.
    u = (t - 1.641) / 0.369
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 + 0.152 * u * wing
    profile = wing * skew
    depth += 0.306 * profile
    # Line 6: Lorentzian, skewed.
    u = (t - 1.859) / 0.362
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.129 * u * wing
    profile = wing * skew
    depth += 0.285 * profile
    # Line 7: Gaussian and Lorentzian mixed.
    u = (t - 2.137) / 0.181
    wing = 1.0 / (1.0 + u * u)
    core = np.exp(-0.693 * u * u)
    profile = 0.79 * wing + 0.21 * core
    depth += 0.377 * profile
    # Line 8: Lorentzian, skewed.
    u = (t - 2.36) / 0.468
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 + 0.139 * u * wing
    profile = wing * skew
    depth += 0.25 * profile
    # Line 9: Lorentzian, skewed.
    u = (t - 2.621) / 0.295
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.135 * u * wing
    profile = wing * skew
    depth += 0.26 * profile
    # Line 10: Lorentzian, skewed.
    u = (t - 2.841) / 0.434
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 + 0.051 * u * wing
    profile = wing * skew
    depth += 0.065 * profile
    # Line 11: Lorentzian, skewed.
    u = (t - 3.078) / 0.337
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 + 0.199 * u * wing
    profile = wing * skew
    depth += 0.215 * profile
    # Line 12: Lorentzian, skewed.
    u = (t - 3.31) / 0.294
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.089 * u * wing
    profile = wing * skew
    depth += 0.121 * profile
    # Line 13: Gaussian and Lorentzian mixed.
    u = (t - 3.566) / 0.411
    wing = 1.0 / (1.0 + u * u)
    core = np.exp(-0.693 * u * u)
    profile = 0.55 * wing + 0.45 * core
    depth += 0.162 * profile
    # Line 14: Lorentzian, skewed.
    u = (t - 3.78) / 0.172
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 + 0.046 * u * wing
    profile = wing * skew
    depth += 0.13 * profile
    # Line 15: Lorentzian, skewed.
    u = (t - 4.034) / 0.266
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.183 * u * wing
    profile = wing * skew
    depth += 0.112 * profile
    # Line 16: Lorentzian, skewed.
    u = (t - 4.32) / 0.464
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 + 0.184 * u * wing
    profile = wing * skew
    depth += 0.384 * profile
    # Line 17: Lorentzian, skewed.
    u = (t - 4.492) / 0.251
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.036 * u * wing
    profile = wing * skew
    depth += 0.388 * profile
    # Line 18: Lorentzian, skewed.
    u = (t - 4.824) / 0.367
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.123 * u * wing
    profile = wing * skew
    depth += 0.336 * profile
    # Line 19: Gaussian and Lorentzian mixed.
    u = (t - 5.014) / 0.198
    wing = 1.0 / (1.0 + u * u)
    core = np.exp(-0.693 * u * u)
    profile = 0.87 * wing + 0.13 * core
    depth += 0.184 * profile
    # Line 20: Lorentzian, skewed.
    u = (t - 5.211) / 0.166
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.055 * u * wing
    profile = wing * skew
    depth += 0.109 * profile
    # Line 21: Lorentzian, skewed.
    u = (t - 5.479) / 0.184
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.117 * u * wing
    profile = wing * skew
    depth += 0.394 * profile
    # Line 22: Lorentzian, skewed.
    u = (t - 5.696) / 0.169
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.14 * u * wing
    profile = wing * skew
    depth += 0.109 * profile
    # Line 23: Lorentzian, skewed.
    u = (t - 5.934) / 0.322
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.151 * u * wing
    profile = wing * skew
    depth += 0.137 * profile
    # Line 24: Lorentzian, skewed.
    u = (t - 6.223) / 0.421
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.009 * u * wing
    profile = wing * skew
    depth += 0.193 * profile
    # Line 25: Gaussian and Lorentzian mixed.
    u = (t - 6.434) / 0.294
    wing = 1.0 / (1.0 + u * u)
    core = np.exp(-0.693 * u * u)
    profile = 0.44 * wing + 0.56 * core
    depth += 0.063 * profile
    # Line 26: Lorentzian, skewed.
    u = (t - 6.739) / 0.441
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.098 * u * wing
    profile = wing * skew
    depth += 0.225 * profile
    # Line 27: Lorentzian, skewed.
    u = (t - 6.914) / 0.223
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.143 * u * wing
    profile = wing * skew
    depth += 0.131 * profile
    # Line 28: Lorentzian, skewed.
    u = (t - 7.135) / 0.475
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.039 * u * wing
    profile = wing * skew
    depth += 0.248 * profile
    # Line 29: Lorentzian, skewed.
    u = (t - 7.46) / 0.379
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 - 0.002 * u * wing
    profile = wing * skew
    depth += 0.327 * profile
    # Line 30: Lorentzian, skewed.
    u = (t - 7.619) / 0.224
    wing = 1.0 / (1.0 + u * u)
    skew = 1.0 + 0.17 * u * wing
    profile = wing * skew
    depth += 0.356 * profile
    # What is left, through the optics, on the detector.
    transmitted = np.exp(-(depth + scattering))
    fringes = 1.0 + 0.05 * np.cos(4.0 * t)
    x = (t - 4.0) / 4.0
    response = 0.9 - x * x * (0.3 + x * (0.05 + 0.02 * x))
    return continuum * edge * transmitted * fringes * response
