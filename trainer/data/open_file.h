#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace convoy {

/// A regular file that is open for reading, by any number of threads at once.
class OpenFile {
 public:
  /// Throws Error(data) with the name when there is none, it cannot be read or is no regular file;
  /// Error(internal) when that is not the file's fault (no memory, too many open files). Does not wait for a
  /// pipe that has taken the name.
  explicit OpenFile(std::string path);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  const std::string& path() const { return path_; }

  /// Bytes when it was opened.
  std::int64_t size() const { return size_; }

  /// Reads from byte `offset` on into `out`. Returns how many bytes there were: fewer than asked for where
  /// the file ends. Throws as the constructor does.
  std::size_t read_at(std::int64_t offset, std::span<std::uint8_t> out) const;

  /// Tells the system that these bytes will be read soon, so that it fetches them meanwhile.
  void will_read(std::int64_t offset, std::int64_t bytes) const;

 private:
  [[noreturn]] void cannot_read(int error) const;

  std::string path_;
  int descriptor_;
  std::int64_t size_ = 0;
};

/// Lets this process have `count` more files open than now, as far as the system's hard limit allows.
void allow_open_files(std::int64_t count);

}  // namespace convoy
