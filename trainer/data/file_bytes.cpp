#include "trainer/data/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "layers/core/error.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void cannot_read(const std::string& path, int error) {
  const bool of_process = error == EMFILE || error == ENFILE || error == ENOMEM;
  fail(of_process ? ExitCode::internal : ExitCode::data, "{}: cannot be read: {}", printable(path),
       std::strerror(error));
}

}  // namespace

void read_file(const std::string& path, std::vector<std::uint8_t>& out) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) cannot_read(path, errno);
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) cannot_read(path, errno);
  if (!S_ISREG(status.st_mode)) fail(ExitCode::data, "{}: is no regular file", printable(path));
  if (status.st_size > kMostFileBytes) {
    fail(ExitCode::data, "{}: is of {} bytes, more than the {} that an image may have", printable(path),
         status.st_size, kMostFileBytes);
  }
  out.resize(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::read(file.number(), out.data() + done, out.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) cannot_read(path, errno);
    if (got == 0) break;  // it became shorter; the decoder will tell
    done += static_cast<std::size_t>(got);
  }
  out.resize(done);
}

}  // namespace convoy
