"""The call behind an act, in the languages people use: with this server's address and this account's SID.

Each is code to paste; the token is read from the environment, so that no secret stands in a page. In a form body a bare
`+` is a space, which is why curl encodes.
"""

import json
import shlex
from collections.abc import Mapping
from typing import Any

TOKEN = "STOPWIRE_AUTH_TOKEN"  # noqa: S105  the name of a variable


def calls_of_send(*, base: str, account: str, to: str, from_: str, service: str, body: str) -> dict[str, str]:
    """Send one text."""
    who = ("MessagingServiceSid", service) if service else ("From", from_)
    fields = {"To": to, who[0]: who[1], "Body": body}
    path = f"{base}/2010-04-01/Accounts/{account}/Messages.json"
    return {
        "curl": _curl(path, account, fields),
        "Python": _python(base, account, fields),
        "Node.js": _node(base, account, fields),
        "PHP": _php(path, account, fields),
        "Ruby": _ruby(path, account, fields),
        "Java": _java(path, account, fields),
        "C#": _csharp(path, account, fields),
        "Go": _go(path, account, fields),
        "CLI": f"stopwire send --to {shlex.quote(to)} {f'--service {service}' if service else f'--from {from_}'} --body {shlex.quote(body)}",
    }


def curl_of(method: str, address: str, account: str, fields: Mapping[str, Any] | None = None) -> str:
    """One call of the JSON API."""
    lines = [f'curl -sS -X {method} {shlex.quote(address)} \\', f'  -u {account}:"${TOKEN}"']
    if fields is not None:
        lines[-1] += " \\"
        lines += ["  -H 'Content-Type: application/json' \\", f"  -d {shlex.quote(json.dumps(dict(fields)))}"]
    return "\n".join(lines)


def _curl(path: str, account: str, fields: Mapping[str, str]) -> str:
    lines = [f"curl -sS -X POST {shlex.quote(path)}", f'  -u {account}:"${TOKEN}"']
    lines += [f"  --data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in fields.items()]
    return " \\\n".join(lines)


_PYTHON_NAMES = {"To": "to", "From": "from_", "MessagingServiceSid": "messaging_service_sid", "Body": "body"}
_NODE_NAMES = {"To": "to", "From": "from", "MessagingServiceSid": "messagingServiceSid", "Body": "body"}


def _python(base: str, account: str, fields: Mapping[str, str]) -> str:
    given = "".join(f"    {_PYTHON_NAMES[name]}={value!r},\n" for name, value in fields.items())
    return (
        "import os\nfrom twilio.rest import Client\n\n"
        f"client = Client({account!r}, os.environ[{TOKEN!r}])\n"
        f"client.api.base_url = {base!r}\n"
        f"message = client.messages.create(\n{given})\nprint(message.sid, message.status)\n"
    )


def _node(base: str, account: str, fields: Mapping[str, str]) -> str:
    given = "".join(f"  {_NODE_NAMES[name]}: {json.dumps(value)},\n" for name, value in fields.items())
    return (
        'const twilio = require("twilio");\n'
        f'const client = twilio("{account}", process.env.{TOKEN});\n'
        f"client.api.baseUrl = {json.dumps(base)};\n"
        f"client.messages.create({{\n{given}}}).then((message) => console.log(message.sid, message.status));\n"
    )


def _php(path: str, account: str, fields: Mapping[str, str]) -> str:
    given = "".join(f"    {_php_text(name)} => {_php_text(value)},\n" for name, value in fields.items())
    return (
        f"<?php\n$call = curl_init({_php_text(path)});\ncurl_setopt_array($call, [\n"
        f"  CURLOPT_USERPWD => '{account}:' . getenv('{TOKEN}'),\n"
        f"  CURLOPT_POSTFIELDS => http_build_query([\n{given}  ]),\n  CURLOPT_RETURNTRANSFER => true,\n]);\n"
        "echo curl_exec($call), PHP_EOL;\n"
    )


def _php_text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _ruby(path: str, account: str, fields: Mapping[str, str]) -> str:
    given = ", ".join(f"{_ruby_text(name)} => {_ruby_text(value)}" for name, value in fields.items())
    return (
        f'require "net/http"\n\nuri = URI({_ruby_text(path)})\nrequest = Net::HTTP::Post.new(uri)\n'
        f'request.basic_auth {_ruby_text(account)}, ENV.fetch("{TOKEN}")\nrequest.set_form_data({given})\n'
        'answer = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https") { |http| http.request(request) }\nputs answer.body\n'
    )


def _ruby_text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _java(path: str, account: str, fields: Mapping[str, str]) -> str:
    given = ",\n        ".join(f"{json.dumps(name)}, {json.dumps(value)}" for name, value in fields.items())
    return (
        "import java.net.*;\nimport java.net.http.*;\nimport java.util.*;\nimport java.util.stream.*;\n"
        "import static java.nio.charset.StandardCharsets.UTF_8;\n\n"
        "class Send {\n  public static void main(String[] arguments) throws Exception {\n"
        f"    var fields = Map.of(\n        {given});\n"
        "    var body = fields.entrySet().stream()\n"
        '        .map(e -> e.getKey() + "=" + URLEncoder.encode(e.getValue(), UTF_8)).collect(Collectors.joining("&"));\n'
        f'    var secret = Base64.getEncoder().encodeToString(("{account}:" + System.getenv("{TOKEN}")).getBytes());\n'
        f"    var request = HttpRequest.newBuilder(URI.create({json.dumps(path)}))\n"
        '        .header("Authorization", "Basic " + secret)\n'
        '        .header("Content-Type", "application/x-www-form-urlencoded")\n'
        "        .POST(HttpRequest.BodyPublishers.ofString(body)).build();\n"
        "    System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());\n  }\n}\n"
    )


def _csharp(path: str, account: str, fields: Mapping[str, str]) -> str:
    given = "".join(f"    [{json.dumps(name)}] = {json.dumps(value)},\n" for name, value in fields.items())
    return (
        "using System.Net.Http.Headers;\nusing System.Text;\n\n"
        f'var secret = "{account}:" + Environment.GetEnvironmentVariable("{TOKEN}");\n'
        "using var client = new HttpClient();\n"
        "client.DefaultRequestHeaders.Authorization =\n"
        '    new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)));\n'
        f"var answer = await client.PostAsync({json.dumps(path)}, new FormUrlEncodedContent(new Dictionary<string, string> {{\n{given}}}));\n"
        "Console.WriteLine(await answer.Content.ReadAsStringAsync());\n"
    )


def _go(path: str, account: str, fields: Mapping[str, str]) -> str:
    given = "".join(f"\t\t{json.dumps(name)}: {{{json.dumps(value)}}},\n" for name, value in fields.items())
    return (
        'package main\n\nimport (\n\t"fmt"\n\t"io"\n\t"net/http"\n\t"net/url"\n\t"os"\n\t"strings"\n)\n\nfunc main() {\n'
        f"\tform := url.Values{{\n{given}\t}}\n"
        f'\trequest, _ := http.NewRequest("POST", {json.dumps(path)}, strings.NewReader(form.Encode()))\n'
        f'\trequest.SetBasicAuth("{account}", os.Getenv("{TOKEN}"))\n'
        '\trequest.Header.Set("Content-Type", "application/x-www-form-urlencoded")\n'
        "\tanswer, fault := http.DefaultClient.Do(request)\n\tif fault != nil {\n\t\tpanic(fault)\n\t}\n"
        "\tbody, _ := io.ReadAll(answer.Body)\n\tfmt.Println(string(body))\n}\n"
    )
