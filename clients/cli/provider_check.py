"""What `studio doctor` finds out about the image API."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from clients.cli.findings import Finding

TIMEOUT = 5.0
DEFAULTS = {
    "NANO_BANANA_BASE_URL": "https://api.nanobanana.ai",
    "GEMINI_BASE_URL": "https://generativelanguage.googleapis.com",
    "GEMINI_MODEL": "gemini-nano-banana-2.1",
}


def check_provider(environ: Mapping[str, str]) -> Finding:
    """Asks the image API that is set whether it is well; costs nothing."""
    name = environ.get("STUDIO_PROVIDER") or "sketch"
    if name == "sketch":
        return Finding("image provider", True, "sketch, which draws on this machine")
    key_name = f"{name.upper()}_API_KEY"
    if name not in ("nano_banana", "gemini"):
        return Finding(
            "image provider", False, f"{name} is none", "set STUDIO_PROVIDER to sketch, nano_banana or gemini"
        )
    if not environ.get(key_name):
        return Finding("image provider", False, f"{name} has no key", f"set {key_name}")
    return _ask(name, key_name, environ)


def _ask(name: str, key_name: str, environ: Mapping[str, str]) -> Finding:
    settings = {**DEFAULTS, **{variable: value for variable, value in environ.items() if value}}
    base = settings[f"{name.upper()}_BASE_URL"].rstrip("/")
    if name == "gemini":
        url, headers = f"{base}/v1beta/models/{settings['GEMINI_MODEL']}", {"x-goog-api-key": settings[key_name]}
    else:
        url, headers = f"{base}/status", {"Authorization": f"Bearer {settings[key_name]}"}
    try:
        response = httpx.get(url, headers=headers, timeout=TIMEOUT, trust_env=False)
        if name == "nano_banana" and response.is_success:
            # Its status is open to all; what became of a picture is not, and asking after none costs nothing.
            answer = httpx.get(f"{url}/none", headers=headers, timeout=TIMEOUT, trust_env=False)
            response = answer if answer.status_code in (401, 403) else response
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        why = type(error).__name__
        return Finding("image provider", False, f"{name} does not answer ({why})", f"check {name.upper()}_BASE_URL")
    return _judge(name, key_name, response)


def _judge(name: str, key_name: str, response: httpx.Response) -> Finding:
    if response.is_success:
        return Finding("image provider", True, f"{name} is well")
    # Google answers 400 to a key it does not know.
    if response.status_code in (400, 401, 403):
        return Finding("image provider", False, f"{name} does not accept the key", f"mend {key_name}")
    if response.status_code == 404 and name == "gemini":
        return Finding("image provider", False, "gemini has no such model", "mend GEMINI_MODEL")
    found = f"{name} answers with status {response.status_code}"
    return Finding("image provider", False, found, "wait, or ask its operator; jobs are put off or fail meanwhile")
