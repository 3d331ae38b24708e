#include "trainer/loader_figures.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/core/text.h"

namespace convoy {

std::string LoaderFigures::text() const {
  std::string text = fmt::format("{}/{} batches ready", ready, ahead);
  if (decode_rate > 0) {
    text += fmt::format(", {} {} {:.0f} images/s", counted(threads, "loader thread"),
                        threads == 1 ? "prepares" : "prepare", decode_rate);
  }
  if (bytes_read > 0) text += fmt::format(", {}/s read", format_bytes(static_cast<std::int64_t>(read_rate)));
  return text;
}

DataWait longest_wait(Communicator& comm, double share) {
  std::vector<double> shares(static_cast<std::size_t>(comm.size()));
  shares[static_cast<std::size_t>(comm.rank())] = share;
  comm.start_all_gather(shares.data(), 1, Element::f64, "shares of waiting for data").wait();
  const auto longest = std::ranges::max_element(shares);
  return {*longest, static_cast<int>(longest - shares.begin())};
}

LoaderFigures loader_figures(const LoaderStatistics& before, const LoaderStatistics& now, int threads,
                             std::int64_t ahead, double seconds) {
  LoaderFigures figures;
  figures.ready = now.ready;
  figures.ahead = ahead;
  figures.threads = threads;
  const double busy = now.busy_seconds - before.busy_seconds;
  if (busy > 0) figures.decode_rate = static_cast<double>(now.samples - before.samples) * threads / busy;
  figures.bytes_read = now.file_bytes - before.file_bytes;
  figures.read_rate = static_cast<double>(figures.bytes_read) / std::max(seconds, 1e-9);
  return figures;
}

}  // namespace convoy
