#include "trainer/data/ten_crops.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "trainer/data/window.h"

namespace convoy {
namespace {

/// Where a window starts along both sides.
enum class Side : std::uint8_t { start, end, middle };
struct Place {
  Side y;
  Side x;
};

constexpr std::array<Place, 5> kPlaces{{{Side::start, Side::start},
                                        {Side::start, Side::end},
                                        {Side::end, Side::start},
                                        {Side::end, Side::end},
                                        {Side::middle, Side::middle}}};

double pick(Side side, double room, double middle) {
  return side == Side::start ? 0 : side == Side::end ? room : middle;
}

/// Fills the second five from the first.
void add_mirrored(Shape output, std::uint8_t* out) {
  std::uint8_t* mirrored = std::copy_n(out, 5 * output.elements(), out + 5 * output.elements());
  mirror_rows(mirrored - 5 * output.elements(), {output.channels, 5 * output.height, output.width});
}

}  // namespace

void ten_crops(View& view, Sides resized, Filter filter, ResampleScratch& scratch, Shape output,
               std::uint8_t* out) {
  const Box whole = view.box;
  const double scale_y = whole.height / static_cast<double>(resized.height);
  const double scale_x = whole.width / static_cast<double>(resized.width);
  const auto room_y = static_cast<double>(std::max<std::int64_t>(resized.height - output.height, 0));
  const auto room_x = static_cast<double>(std::max<std::int64_t>(resized.width - output.width, 0));
  std::uint8_t* window = out;
  for (const Place& place : kPlaces) {
    // The middle is where resized_window puts it.
    view.box = {whole.top + pick(place.y, room_y, std::nearbyint(room_y / 2)) * scale_y,
                whole.left + pick(place.x, room_x, std::nearbyint(room_x / 2)) * scale_x,
                static_cast<double>(output.height) * scale_y, static_cast<double>(output.width) * scale_x};
    resample(view, filter, false, static_cast<int>(output.height), static_cast<int>(output.width), scratch,
             window);
    window += output.elements();
  }
  add_mirrored(output, out);
}

void ten_crops(const Image& image, Shape output, std::uint8_t* out) {
  const std::int64_t room_y = image.height - output.height;
  const std::int64_t room_x = image.width - output.width;
  const auto start = [](Side side, std::int64_t room) {
    const std::int64_t middle = room / 2;  // as augment() has it
    return room < 0 || side == Side::middle ? middle : side == Side::end ? room : 0;
  };
  std::uint8_t* window = out;
  for (const Place& place : kPlaces) {
    copy_window(image, start(place.y, room_y), start(place.x, room_x), false, output, window);
    window += output.elements();
  }
  add_mirrored(output, out);
}

}  // namespace convoy
