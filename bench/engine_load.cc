// SPDX-License-Identifier: Apache-2.0
#include "engine_load.h"

#include <string>

#include <fmt/format.h>

#include "model/event.h"
#include "ports/dedupe_hash.h"

namespace weir::bench {

ports::WriteBatch append_batch(StreamId stream, std::uint64_t first, std::uint64_t count,
                               std::string_view data, WallTime now) {
  ports::AppendEvents append{stream, {}, now};
  for (std::uint64_t number = first; number < first + count; ++number) {
    const std::string id = fmt::format("e{}", number);
    const std::string subject = fmt::format("k{}", number % 1000);
    const Event event{.id = id,
                      .source = "/bench",
                      .type = "bench.happened",
                      .subject = subject,
                      .data = data,
                      .has_data = true};
    append.events.push_back({ports::dedupe_hash(event.source, event.id), encode_event(event)});
  }
  ports::WriteBatch batch{.lane = ports::Lane::ingest};
  batch.mutations.emplace_back(std::move(append));
  return batch;
}

}  // namespace weir::bench
