// SPDX-License-Identifier: Apache-2.0
// One run of a command: the global options, the terminal, the server. Data goes to stdout, talk to
// stderr.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/client.h"
#include "app/exit_codes.h"
#include "app/terminal.h"
#include "wire/json.h"

namespace weir::app {

enum class Format : unsigned char { table, json, jsonl, yaml, csv, name };

struct GlobalOptions {
  std::string server = "http://127.0.0.1:8600";
  std::string token_file;
  std::string ca_file;
  Format format = Format::table;
  ColorMode color = ColorMode::automatic;
  std::string reason;
  bool headers = true;
  bool yes = false;
  bool quiet = false;
};

// An answer that was asked for, or the exit code after the problem has been printed.
struct Reply {
  int exit = kExitOk;
  int status = 0;
  std::unique_ptr<const std::string> body;  // its address stays: the document views it
  std::unique_ptr<const wire::JsonDocument> document;

  explicit operator bool() const { return exit == kExitOk; }
  wire::Json root() const { return document->root(); }
};

class Session {
 public:
  explicit Session(GlobalOptions options);

  const GlobalOptions& options() const { return options_; }
  const Terminal& terminal() const { return terminal_; }
  Client& client() { return client_; }
  WallTime now() { return client_.wall(); }
  bool is_table() const { return options_.format == Format::table; }

  // Statuses below 400 are replies; everything else has been printed. A reply has a document unless
  // `bytes` are wanted.
  Reply get(std::string path) { return send({.path = std::move(path)}); }
  Reply post(std::string path, std::string json);
  Reply send(ClientRequest request, bool bytes = false);
  // {"reason": ...} of --reason, or {}.
  std::string reason_body() const;

  // What is printed is made harmless for a terminal (terminal_text.h), also where there is none.
  void print(std::string_view text) const;         // stdout
  void print_bytes(std::string_view bytes) const;  // stdout, as they are
  void note(std::string_view line) const;          // stderr, not with --quiet
  // Replaces the last line of a terminal, "" clears it; not with --quiet, and nothing elsewhere.
  void redraw(std::string_view line) const;
  // "next: weir ..." on stderr, for people at a terminal who read a table.
  void next(std::string_view command) const;
  int fail(const Error& error) const;  // prints; the result is the exit code
  // Asks on a terminal. nullopt = go on; otherwise the exit code after everything was said. `hint`
  // is for where nobody can answer.
  std::optional<int> confirm(std::string_view question, std::string_view hint) const;

 private:
  GlobalOptions options_;
  Terminal terminal_;
  Client client_;
  bool has_token_ = false;  // looked for at the first request
};

}  // namespace weir::app
