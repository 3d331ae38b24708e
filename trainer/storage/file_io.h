#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace convoy {

/// A file descriptor that is closed in the end.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return descriptor_; }
  /// Closes what it held, and holds `descriptor`.
  void reset(int descriptor);
  /// Closes now. Gives errno, or 0: some file systems report a failed write only here.
  int close();

 private:
  int descriptor_;
};

/// A new file that takes its place in one step, or leaves no trace. Until commit it is
/// `path`.partial.<pid>; without a commit it is removed again.
/// Every failure is an Error(code_of_write) "cannot write PATH: <the system's reason>".
class PartialFile {
 public:
  explicit PartialFile(std::string path);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  void write(std::span<const std::byte> bytes);
  /// Writes over the first bytes.
  void rewrite_start(std::span<const std::byte> bytes);
  /// Syncs the file, renames it to `path` over what is there, and syncs the folder.
  void commit();

 private:
  std::string path_;
  std::string partial_path_;
  Descriptor file_;
  bool renamed_ = false;
};

/// A regular file to read from. Failures are Error(usage) that name the file: whatever the reason, it is this
/// file that cannot be used.
class InputFile {
 public:
  explicit InputFile(std::string path);

  std::int64_t size() const { return size_; }
  /// Fills `bytes` from byte `place` of the file on.
  void read(std::int64_t place, std::span<std::byte> bytes);

 private:
  std::string path_;
  Descriptor file_;
  std::int64_t size_ = 0;
};

/// Makes what was created, renamed or removed in a folder durable. Throws Error(internal).
void sync_folder(const std::string& folder);

/// The folder part of a path, "." when there is none.
std::string folder_of(const std::string& path);

/// "No space left on device" and the like.
std::string system_message(int error);

}  // namespace convoy
